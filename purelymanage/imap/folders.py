"""Which folders an account has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from . import names
from .connection import CommandPart, Connection, Literal
from .errors import ProtocolError, Refused
from .names import Namespace
from .responses import Data
from .tokens import Value

# More than any mailbox has; a server that lists on and on shall not fill memory.
MAX_FOLDERS = 100_000

_UNSELECTABLE = {"\\NOSELECT", "\\NONEXISTENT"}


@dataclass(frozen=True, slots=True)
class Folder:
    # As the server wrote it, and as it has to be given back to it.
    wire: bytes
    name: str
    separator: str
    # In upper case, such as \\SENT.
    attributes: frozenset[str] = frozenset()
    subscribed: bool = False

    @property
    def selectable(self) -> bool:
        return not self.attributes & _UNSELECTABLE


@dataclass(slots=True)
class FolderList:
    folders: list[Folder] = field(default_factory=list)
    personal: list[Namespace] = field(default_factory=list)
    # Of other people and of everybody.
    foreign: list[Namespace] = field(default_factory=list)

    def own(self) -> list[Folder]:
        """Return the folders of this account alone."""
        return [folder for folder in self.folders if not self._foreign(folder)]

    def home(self) -> Namespace:
        """Return where new folders belong."""
        return self.personal[0] if self.personal else Namespace()

    def namespace(self, folder: Folder) -> Namespace:
        """Return the personal namespace that holds `folder`, with its separator."""
        fitting = [space for space in self.personal if space.holds(folder.name)]
        best = max(fitting, key=lambda space: len(space.prefix), default=Namespace(""))
        return Namespace(best.prefix, folder.separator or best.separator)

    def _foreign(self, folder: Folder) -> bool:
        if folder.name.upper() == "INBOX":
            return False
        own = max(
            (len(s.prefix) for s in self.personal if s.holds(folder.name)), default=-1
        )
        return any(
            space.holds(folder.name) and len(space.prefix) > own
            for space in self.foreign
        )


def mailbox(wire: bytes) -> CommandPart:
    """Return a mailbox name as part of a command."""
    return names.quote(wire) or Literal(len(wire), wire)


async def list_folders(connection: Connection) -> FolderList:
    """Ask for everything at once: three commands, one round trip."""
    found = FolderList()
    listed: dict[bytes, Folder] = {}
    subscribed: set[bytes] = set()

    take = take_listing(found, listed, subscribed)
    waiting = []
    if connection.has("NAMESPACE"):
        waiting.append(await connection.send(b"NAMESPACE", on_data=take))
    extended = connection.has("LIST-EXTENDED") and connection.has("SPECIAL-USE")
    if extended:
        command = b'LIST "" "*" RETURN (SUBSCRIBED SPECIAL-USE)'
    elif connection.has("XLIST") and not connection.has("SPECIAL-USE"):
        command = b'XLIST "" "*"'
    else:
        command = b'LIST "" "*"'
    listing = await connection.send(command, on_data=take)
    if not extended:
        waiting.append(await connection.send(b'LSUB "" "*"', on_data=take))
    connection.expect_ok(await listing, [command])
    for answer in waiting:
        # Neither namespaces nor subscriptions are worth a failure.
        await answer

    found.folders = [
        Folder(
            folder.wire,
            folder.name,
            folder.separator,
            folder.attributes,
            folder.subscribed or folder.wire in subscribed,
        )
        for folder in listed.values()
    ]
    if not found.personal:
        separator = next((f.separator for f in found.folders if f.separator), "/")
        found.personal = [Namespace("", separator)]
    if not any(folder.name == "INBOX" for folder in found.folders):
        # It always exists, but not every server lists it.
        found.folders.insert(0, Folder(b"INBOX", "INBOX", found.home().separator))
    return found


def take_listing(
    found: FolderList, listed: dict[bytes, Folder], subscribed: set[bytes]
) -> Callable[[Data], None]:
    """Return what reads folders and namespaces out of the answers."""

    def take(data: Data) -> None:
        if data.name in {"LIST", "XLIST"}:
            folder = _folder(data)
            if folder is not None and len(listed) < MAX_FOLDERS:
                listed.setdefault(folder.wire, folder)
        elif data.name == "LSUB":
            folder = _folder(data)
            if folder is not None and len(subscribed) < MAX_FOLDERS:
                subscribed.add(folder.wire)
        elif data.name == "NAMESPACE":
            own, others, shared = ([*data.tokens, None, None, None])[:3]
            found.personal = _namespaces(own)
            found.foreign = _namespaces(others) + _namespaces(shared)

    return take


async def create_folder(
    connection: Connection, wire: bytes, parents: Sequence[bytes] = ()
) -> bool:
    """Create a folder; one that exists by now is as good, and False is returned.

    Servers should create what is above it as well, and most do.
    """
    status = await (await connection.send(b"CREATE ", mailbox(wire)))
    if not status.ok and parents:
        for parent in parents:
            await (await connection.send(b"CREATE ", mailbox(parent)))
        status = await (await connection.send(b"CREATE ", mailbox(wire)))
    if status.ok or status.code == "ALREADYEXISTS":
        return status.ok
    listed: dict[bytes, Folder] = {}
    take = take_listing(FolderList(), listed, set())
    await connection.run(b'LIST "" ', mailbox(wire), on_data=take)
    # A star in the name stands for anything here, so other names may be listed too. To
    # some servers small and capital letters are the same.
    name = names.decode(wire).casefold()
    if not any(names.decode(it).casefold() == name for it in listed):
        raise Refused(
            f"The {connection.place} refused to create the folder "
            f"{names.decode(wire)}.",
            status.text,
            code=status.code,
        )
    return False


async def subscribe(connection: Connection, wire: bytes) -> None:
    """Have programs show a folder. A server without subscriptions shows them all."""
    await (await connection.send(b"SUBSCRIBE ", mailbox(wire)))


def _folder(data: Data) -> Folder | None:
    if len(data.tokens) < 3:
        raise ProtocolError("The server listed a folder without a name.")
    flags, separator, wire = data.tokens[:3]
    if not isinstance(wire, bytes):
        # A folder really called NIL, or a name of megabytes.
        return None
    attributes = frozenset(
        flag.decode("ascii", "replace").upper()
        for flag in (flags if isinstance(flags, list) else [])
        if isinstance(flag, bytes)
    )
    if wire.upper() == b"INBOX":
        wire = b"INBOX"
    parted = (
        separator.decode("ascii", "replace") if isinstance(separator, bytes) else ""
    )
    return Folder(
        wire, names.decode(wire), parted, attributes, "\\SUBSCRIBED" in attributes
    )


def _namespaces(token: Value) -> list[Namespace]:
    found = []
    for entry in token if isinstance(token, list) else []:
        if not isinstance(entry, list) or not entry:
            continue
        prefix = entry[0] if isinstance(entry[0], bytes) else b""
        separator = entry[1] if len(entry) > 1 else None
        parted = (
            separator.decode("ascii", "replace") if isinstance(separator, bytes) else ""
        )
        found.append(Namespace(names.decode(prefix), parted))
    return found
