"""What pymap needs to serve the mail in a `MailStore`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Collection, Iterable, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Protocol

from pymap.backend.mailbox import MailboxDataInterface, MailboxSetInterface
from pymap.bytes import Writeable
from pymap.concurrent import Event
from pymap.context import subsystem
from pymap.flags import FlagOp
from pymap.interfaces.message import CachedMessage
from pymap.listtree import ListTree
from pymap.mailbox import MailboxSnapshot
from pymap.message import BaseLoadedMessage, BaseMessage
from pymap.mime import MessageContent
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials import FetchRequirement, Flag, ObjectId
from pymap.parsing.specials.flag import Recent, Seen, Wildcard, get_system_flags
from pymap.selected import SelectedMailbox, SelectedSet

from purelymanage.purelymail.sandbox.mail_store import (
    Folder,
    Mail,
    MailStore,
    StoredMail,
)


class Drains(Protocol):
    async def drain_if_full(self) -> None: ...


# Long answers are handed to the network while they are written, message by message.
output: ContextVar[Drains] = ContextVar("output")


class Message(BaseMessage):
    """A message whose content stays in the store until somebody asks for it."""

    __slots__ = ["folder", "recent", "size", "store"]

    def __init__(
        self, store: MailStore, folder: int, mail: StoredMail, *, expunged: bool = False
    ) -> None:
        flags = frozenset(Flag(flag) for flag in mail.flags)
        super().__init__(mail.uid, mail.received, flags, expunged=expunged)
        self.store = store
        self.folder = folder
        self.size = mail.size
        self.recent = False

    async def load_content(self, requirement: FetchRequirement) -> LoadedMessage:
        if out := output.get(None):
            await out.drain_if_full()
        return LoadedMessage(self, requirement)

    def as_stored(self) -> StoredMail:
        flags = tuple(str(flag) for flag in sorted(self.permanent_flags))
        return StoredMail(self.uid, self.internal_date, flags, self.size)


class LoadedMessage(BaseLoadedMessage):
    """Parses no more than the question needs; most ask for all or for the header."""

    __slots__ = ["_raw", "_stored"]

    def __init__(self, message: Message, requirement: FetchRequirement) -> None:
        super().__init__(message, requirement, None)
        self._stored = message
        self._raw: bytes | None = None

    @property
    def raw(self) -> bytes:
        if self._raw is None:
            self._raw = self._stored.store.raw(self._stored.folder, self._stored.uid)
        return self._raw

    @property
    def content(self) -> MessageContent:
        if self._content is None:
            self._content = MessageContent.parse(self.raw)
        return self._content

    def get_size(self, section: Sequence[int] | None = None) -> int:
        return super().get_size(section) if section else self._stored.size

    def get_body(
        self,
        section: Sequence[int] | None = None,
        binary: bool = False,  # noqa: FBT001, FBT002  # as pymap calls it
    ) -> Writeable:
        if section or binary:
            return super().get_body(section, binary)
        return Writeable.wrap(self.raw)

    def get_message_headers(
        self,
        section: Sequence[int] | None = None,
        subset: Collection[bytes] | None = None,
        inverse: bool = False,  # noqa: FBT001, FBT002  # as pymap calls it
    ) -> Writeable:
        if not section and self._content is None:
            end = self.raw.find(b"\r\n\r\n")
            if end >= 0:
                self._content = MessageContent.parse(self.raw[: end + 4])
                try:
                    return super().get_message_headers(section, subset, inverse)
                finally:
                    self._content = None
        return super().get_message_headers(section, subset, inverse)


class Snapshot(MailboxSnapshot):
    @property
    def flags(self) -> frozenset[Flag]:
        # `\*` says that any keyword may be stored; it is no flag itself.
        return super().flags - {Wildcard}


class Mailbox(MailboxDataInterface[Message]):
    """One folder. All of it happens in one thread without waiting, so without locks."""

    readonly = False

    def __init__(self, store: MailStore, folder: Folder) -> None:
        self._store = store
        self._folder = folder.id
        self._uid_validity = folder.uid_validity
        self._next_uid = folder.next_uid
        self.use = folder.use
        self.subscribed = folder.subscribed
        self._messages = {
            mail.uid: Message(store, folder.id, mail) for mail in store.mails(folder.id)
        }
        # Whose flags changed, or who came or went, in this order.
        self._changes: list[int] = []
        self._updated = subsystem.get().new_event()
        self._selected_set = SelectedSet()

    @property
    def id(self) -> int:
        return self._folder

    @property
    def mailbox_id(self) -> ObjectId:
        return ObjectId(b"F%d" % self._folder)

    @property
    def uid_validity(self) -> int:
        return self._uid_validity

    @property
    def selected_set(self) -> SelectedSet:
        return self._selected_set

    @property
    def permanent_flags(self) -> frozenset[Flag]:
        return get_system_flags() - {Recent} | {Wildcard}

    async def update_selected(
        self, selected: SelectedMailbox, *, wait_on: Event | None = None
    ) -> SelectedMailbox:
        if wait_on is not None:
            await wait_on.or_event(self._updated).wait()
        seen: int | None = selected.mod_sequence
        selected.mod_sequence = len(self._changes)
        if seen is None:
            selected.add_updates(list(self._messages.values()), [])
        else:
            uids = set(self._changes[seen:])
            here = [
                self._messages[uid] for uid in sorted(uids) if uid in self._messages
            ]
            selected.add_updates(
                here, [uid for uid in uids if uid not in self._messages]
            )
        return selected

    async def append(
        self, append_msg: AppendMessage, *, recent: bool = False
    ) -> Message:
        # Answers of many appends in a row let other connections in between.
        rate = self._store.rate
        await asyncio.sleep(len(append_msg.literal) / rate if rate else 0)
        when = append_msg.when or datetime.now(UTC)
        flags = tuple(str(it) for it in sorted(append_msg.flag_set - {Recent}))
        return self._add(Mail(append_msg.literal, when, flags), recent=recent)

    def receive(self, mail: Mail) -> None:
        """Take in a message that came by post."""
        self._add(mail, recent=True)

    async def copy(
        self, uid: int, destination: Mailbox, *, recent: bool = False
    ) -> int | None:
        message = self._messages.get(uid)
        if message is None:
            return None
        stored = message.as_stored()
        mail = Mail(self._store.raw(self._folder, uid), stored.received, stored.flags)
        return destination._add(mail, recent=recent).uid

    async def move(
        self, uid: int, destination: Mailbox, *, recent: bool = False
    ) -> int | None:
        new_uid = await self.copy(uid, destination, recent=recent)
        if new_uid is not None:
            await self.delete([uid])
        return new_uid

    async def get(self, uid: int, cached_msg: CachedMessage) -> Message:
        message = self._messages.get(uid)
        if message is None:
            flags = tuple(str(flag) for flag in cached_msg.permanent_flags)
            gone = StoredMail(uid, cached_msg.internal_date, flags, 0)
            return Message(self._store, self._folder, gone, expunged=True)
        return message

    async def update(
        self,
        uid: int,
        cached_msg: CachedMessage,
        flag_set: frozenset[Flag],
        mode: FlagOp,
    ) -> Message:
        message = await self.get(uid, cached_msg)
        if not message.expunged:
            new = mode.apply(message.permanent_flags, flag_set - {Recent})
            if new != message.permanent_flags:
                message.permanent_flags = new
                flags = message.as_stored().flags
                self._store.set_flags(self._folder, uid, flags)
                self._note(uid)
        return message

    async def delete(self, uids: Iterable[int]) -> None:
        gone = [uid for uid in uids if self._messages.pop(uid, None)]
        self._store.remove_mails(self._folder, gone)
        self._note(*gone)

    async def claim_recent(self, selected: SelectedMailbox) -> None:
        for message in self._messages.values():
            if message.recent:
                message.recent = False
                selected.session_flags.add_recent(message.uid)

    async def cleanup(self) -> None:
        """There is nothing to tidy up."""

    async def messages(self) -> AsyncIterable[Message]:
        for message in list(self._messages.values()):
            yield message

    async def snapshot(self) -> MailboxSnapshot:
        unseen = [
            number
            for number, message in enumerate(self._messages.values(), 1)
            if Seen not in message.permanent_flags
        ]
        return Snapshot(
            self.mailbox_id,
            self.readonly,
            self.uid_validity,
            self.permanent_flags,
            self.session_flags,
            exists=len(self._messages),
            recent=sum(message.recent for message in self._messages.values()),
            unseen=len(unseen),
            first_unseen=unseen[0] if unseen else None,
            next_uid=self._next_uid,
        )

    def _add(self, mail: Mail, *, recent: bool) -> Message:
        uid = self._next_uid
        self._store.add_mail(self._folder, uid, mail)
        self._next_uid += 1
        stored = StoredMail(uid, mail.received, mail.flags, len(mail.raw))
        message = Message(self._store, self._folder, stored)
        message.recent = recent
        self._messages[uid] = message
        self._note(uid)
        return message

    def _note(self, *uids: int) -> None:
        self._changes.extend(uids)
        self._updated.set()


class MailboxSet(MailboxSetInterface[Mailbox]):
    """All folders of one owner, shared by the owner's connections."""

    def __init__(self, store: MailStore, owner: str, delimiter: str) -> None:
        self._store = store
        self._owner = owner
        self._delimiter = delimiter
        self._folders = {it.name: it for it in store.folders(owner)}
        self._open: dict[str, Mailbox] = {}

    @property
    def delimiter(self) -> str:
        return self._delimiter

    def use_of(self, name: str) -> str:
        return self._folders[name].use if name in self._folders else ""

    async def set_subscribed(self, name: str, subscribed: bool) -> None:  # noqa: FBT001
        mailbox = await self.get_mailbox(name)
        mailbox.subscribed = subscribed
        self._store.subscribe(mailbox.id, subscribed=subscribed)

    async def list_subscribed(self) -> ListTree:
        names = [it for it in self._folders if (await self.get_mailbox(it)).subscribed]
        return ListTree(self._delimiter).update(*names)

    async def list_mailboxes(self) -> ListTree:
        return ListTree(self._delimiter).update(*self._folders)

    async def get_mailbox(self, name: str) -> Mailbox:
        name = self._canonical(name)
        if name not in self._open:
            self._open[name] = Mailbox(self._store, self._folders[name])
        return self._open[name]

    async def add_mailbox(self, name: str) -> ObjectId:
        name = self._canonical(name)
        if not name or name in self._folders:
            raise ValueError(name)
        self._folders[name] = self._store.add_folder(self._owner, name)
        return (await self.get_mailbox(name)).mailbox_id

    async def delete_mailbox(self, name: str) -> None:
        folder = self._folders.pop(self._canonical(name))
        self._open.pop(folder.name, None)
        self._store.remove_folder(folder.id)

    async def rename_mailbox(self, before: str, after: str) -> None:
        before, after = self._canonical(before), self._canonical(after)
        tree = await self.list_mailboxes()
        if before == "INBOX" or tree.get(before) is None:
            raise KeyError(before)
        if tree.get(after) is not None:
            raise ValueError(after)
        for old, new in tree.get_renames(before, after):
            self._store.rename_folder(self._folders[old].id, new)
            self._open.pop(old, None)
        self._folders = {it.name: it for it in self._store.folders(self._owner)}

    def _canonical(self, name: str) -> str:
        name = name.removesuffix(self._delimiter)
        return "INBOX" if name.upper() == "INBOX" else name
