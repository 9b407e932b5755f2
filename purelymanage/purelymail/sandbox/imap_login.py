"""Logging in to the stand-in's IMAP servers, and what such a session sees."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from pymap.backend.session import BaseSession
from pymap.config import BackendCapability, IMAPConfig
from pymap.exceptions import AuthorizationFailure, InvalidAuth, NotAllowedError
from pymap.interfaces.login import IdentityInterface, LoginInterface
from pymap.parsing import Params
from pymap.parsing.command import Command
from pymap.parsing.command.auth import ListCommand
from pymap.parsing.commands import Commands
from pymap.parsing.exceptions import NotParseable
from pymap.parsing.specials import SequenceSet
from pymap.selected import SelectedMailbox
from pymap.token import AllTokens
from pymap.user import UserMetadata
from pysasl.creds.server import ServerCredentials
from pysasl.hashing import BuiltinHash
from pysasl.identity import Identity

from purelymanage.purelymail.sandbox.mail_backend import MailboxSet, Message
from purelymanage.purelymail.sandbox.mail_store import MailStore, NewFolder

# Given a user name and a password: whose mail it opens, or None.
Check = Callable[[str, str], str | None]
LARGEST_MESSAGE = 51_200_000
LONGEST_LINE = 8_000
# A password may contain anything.
LOGIN = re.compile(rb"\S+ LOGIN ", re.IGNORECASE)
# One that begins no modified UTF-7.
LONE_AMPERSAND = re.compile(rb"&(?![A-Za-z0-9+,]*-)")


@dataclass
class Provider:
    """One IMAP server: its mail, who may log in, and what a new mailbox contains."""

    name: str
    store: MailStore
    check: Check
    first_folders: Callable[[str], Iterable[NewFolder]]
    delimiter: str = "/"
    _open: dict[str, MailboxSet] = field(default_factory=dict)

    def mail_of(self, owner: str) -> MailboxSet:
        if owner not in self._open:
            if not self.store.folders(owner):
                self.store.add_folders(owner, self.first_folders(owner))
            self._open[owner] = MailboxSet(self.store, owner, self.delimiter)
        return self._open[owner]

    def clear(self) -> None:
        self._open.clear()
        self.store.clear()


class Config(IMAPConfig):
    """Settings of pymap; `secure` connections are encrypted from the first byte."""

    def __init__(self, provider: Provider, *, secure: bool, **details: object) -> None:
        nothing = Namespace(passlib_cfg=None, proxy_protocol=None)
        super().__init__(
            nothing,
            host=None,
            port=0,
            tls_enabled=not secure,
            hash_context=BuiltinHash(),
            reject_dnsbl=False,
            max_append_len=LARGEST_MESSAGE,
            bad_command_limit=None,
            **details,  # type: ignore[arg-type]  # only ssl_context
        )
        self._name = provider.name

    @property
    def backend_capability(self) -> BackendCapability:
        custom = [b"SPECIAL-USE"]
        return BackendCapability(
            idle=True, object_id=False, multi_append=True, custom=custom
        )

    @property
    def commands(self) -> Commands:
        return TolerantCommands()

    @property
    def greeting(self) -> bytes:
        return f"{self._name} is ready.".encode()


class TolerantCommands(Commands):
    """The commands of pymap, which never returns from decoding a name like `A&B`."""

    def __init__(self) -> None:
        super().__init__()
        self.register(ListWithOptions)

    def parse(self, buf: memoryview, params: Params) -> tuple[Command, memoryview]:
        line = bytes(buf[:LONGEST_LINE]).partition(b"\n")[0]
        if b"&" in line and not LOGIN.match(line):
            mended = LONE_AMPERSAND.sub(b"&-", line)
            if mended != line:
                buf = memoryview(mended + bytes(buf[len(line) :]))
        return super().parse(buf, params)


class ListWithOptions(ListCommand):
    """LIST that puts up with `RETURN (SPECIAL-USE)`, which is answered anyway."""

    delegate = ListCommand

    @classmethod
    def parse(cls, buf: memoryview, params: Params) -> tuple[ListCommand, memoryview]:
        line = bytes(buf)
        end = line.find(b"\n") + 1 or len(line)
        start = line.upper().find(b" RETURN (", 0, end)
        if start >= 0:
            options = line[start + 9 : end].rstrip()
            if not options.endswith(b")") or b"(" in options:
                raise NotParseable(buf)
            buf = memoryview(line[:start] + b"\r\n")
        return super().parse(buf, params)


class Session(BaseSession[Message]):
    def __init__(self, owner: str, config: Config, mail: MailboxSet) -> None:
        super().__init__(owner)
        self._config = config
        self._mail = mail

    @property
    def config(self) -> Config:
        return self._config

    @property
    def mailbox_set(self) -> MailboxSet:
        return self._mail

    async def list_mailboxes(
        self,
        ref_name: str,
        filter_: str,
        subscribed: bool = False,  # noqa: FBT001, FBT002  # as pymap calls it
        selected: SelectedMailbox | None = None,
    ) -> tuple[
        Iterable[tuple[str, str | None, Sequence[bytes]]], SelectedMailbox | None
    ]:
        """List folders with their special use."""
        found, updates = await super().list_mailboxes(
            ref_name, filter_, subscribed, selected
        )
        with_use = []
        for name, delimiter, attributes in found:
            use = self._mail.use_of(name)
            extra = [use.encode()] if use else []
            with_use.append((name, delimiter, [*attributes, *extra]))
        return with_use, updates

    async def expunge_mailbox(
        self, selected: SelectedMailbox, uid_set: SequenceSet | None = None
    ) -> SelectedMailbox:
        """Expunge; a folder that is only examined can be closed all the same."""
        if selected.readonly:
            return selected
        return await super().expunge_mailbox(selected, uid_set)


class Login(LoginInterface):
    def __init__(self, provider: Provider, config: Config) -> None:
        self._provider = provider
        self._config = config
        self._tokens = AllTokens(config)

    @property
    def tokens(self) -> AllTokens:
        return self._tokens

    async def authenticate(self, credentials: ServerCredentials) -> Person:
        attempt = _Attempt(credentials.authcid, self._provider.check)
        if not credentials.verify(attempt) or attempt.owner is None:
            raise InvalidAuth
        mail = self._provider.mail_of(attempt.owner)
        return Person(credentials.authcid, self._config, mail)

    async def authorize(
        self, authenticated: IdentityInterface, authzid: str
    ) -> IdentityInterface:
        if authzid != authenticated.name:
            raise AuthorizationFailure
        return authenticated


class _Attempt(Identity):
    """Lets whatever mechanism was used have its secret checked by us."""

    def __init__(self, user: str, check: Check) -> None:
        self._user = user
        self._check = check
        self.owner: str | None = None

    @property
    def authcid(self) -> str:
        return self._user

    def compare_authcid(self, authcid: str) -> bool:
        return authcid == self._user

    def compare_secret(self, secret: str) -> bool:
        self.owner = self._check(self._user, secret)
        return self.owner is not None

    def get_clear_secret(self) -> str | None:
        return None


class Person(IdentityInterface):
    """Somebody who logged in. Users are managed elsewhere, so not through here."""

    def __init__(self, name: str, config: Config, mail: MailboxSet) -> None:
        self._name = name
        self._config = config
        self._mail = mail

    @property
    def name(self) -> str:
        return self._name

    @property
    def roles(self) -> frozenset[str]:
        return frozenset()

    @asynccontextmanager
    async def new_session(self) -> AsyncIterator[Session]:
        yield Session(self._name, self._config, self._mail)

    async def new_token(self, *, expiration: datetime | None = None) -> str | None:
        return None

    async def get(self) -> UserMetadata:
        raise NotAllowedError

    async def set(self, metadata: UserMetadata) -> int | None:
        raise NotAllowedError

    async def delete(self) -> None:
        raise NotAllowedError
