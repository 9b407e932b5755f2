"""Which folder of the source goes into which folder of the destination."""

from __future__ import annotations

import re
from dataclasses import dataclass

from purelymanage.imap import names
from purelymanage.imap.folders import Folder, FolderList
from purelymanage.imap.names import Namespace
from purelymanage.migrations.engines.base import CopyOptions

from .choosing import left_behind
from .roles import folders_by_role

# Letters of all languages and what names are parted by; all else is refused somewhere.
_UNUSUAL = re.compile(r"[^\w .-]")


@dataclass(frozen=True, slots=True)
class Route:
    source: Folder
    wire: bytes
    name: str
    exists: bool
    # At the destination.
    subscribed: bool
    # The folders above it there, from the top.
    parents: tuple[bytes, ...]
    # The same names from the top in plain letters, should these be refused.
    spare: tuple[str, ...]


def plan_routes(
    source: FolderList,
    destination: FolderList,
    options: CopyOptions | None = None,
    *,
    gmail: bool = False,
) -> list[Route]:
    """Return a route for each folder of the source that is to be copied."""
    options = options or CopyOptions()
    left = left_behind(source, options, gmail=gmail)
    wishes = dict(options.mapping)
    home = destination.home()
    below = _levels(options.subfolder, home) if options.subfolder else ()
    existing = {folder.name: folder for folder in destination.folders}
    roles_there = folders_by_role(destination) if not below else {}
    taken_by = {folder.wire: role for role, folder in folders_by_role(source).items()}
    # Where folders went against their name, so that what lies in them goes along.
    moved: dict[tuple[str, ...], tuple[str, ...]] = {}
    routes = []
    inbox = existing.get("INBOX")
    lone = inbox is not None and "\\NOINFERIORS" in inbox.attributes
    for path, folder in _sorted(source):
        if lone and not home.prefix and path[0] == "INBOX" and len(path) > 1:
            # Where nothing may lie below the inbox, it lies beside it.
            path = path[1:]
        match: Folder | None = None
        wish = wishes.get(folder.name, "")
        if wish:
            match = existing.get(wish)
            above = (
                destination.namespace(match).path(wish)
                if match is not None
                else _legal(_levels(wish, home), home)
            )
            moved[path] = above
        elif below:
            above = _legal(_follow(path, moved, below=below), home)
        else:
            match = roles_there.get(taken_by.get(folder.wire, ""))
            if match is not None and "\\NOINFERIORS" not in match.attributes:
                moved[path] = destination.namespace(match).path(match.name)
            if match is None:
                match = existing.get(home.name(_legal(path, home)))
            above = _legal(_follow(path, moved), home)
        if folder.wire in left:
            continue
        shown = match.name if match is not None else home.name(above)
        match = match or existing.get(shown)
        routes.append(_route(folder, shown, match, above, home))
    return routes


def _route(
    folder: Folder,
    shown: str,
    match: Folder | None,
    path: tuple[str, ...],
    home: Namespace,
) -> Route:
    exists = match is not None and "\\NONEXISTENT" not in match.attributes
    if match is not None and "\\NOSELECT" in match.attributes:
        # A level that only holds others becomes a folder by being created.
        exists = False
    return Route(
        source=folder,
        wire=match.wire if match is not None else names.encode(shown),
        name=shown,
        exists=exists,
        subscribed=match is not None and match.subscribed,
        parents=tuple(
            names.encode(home.name(path[:depth])) for depth in range(1, len(path))
        ),
        spare=() if match is not None else _spare(path, home),
    )


def _spare(path: tuple[str, ...], home: Namespace) -> tuple[str, ...]:
    plain = tuple(_UNUSUAL.sub("_", level) for level in path)
    if plain == path:
        return ()
    return tuple(home.name(plain[:depth]) for depth in range(1, len(path) + 1))


def _levels(name: str, home: Namespace) -> tuple[str, ...]:
    """Return the levels of a name as a person writes it for this destination."""
    if name.upper() == "INBOX":
        return ("INBOX",)
    if home.separator and home.separator in name:
        return tuple(level for level in home.path(name) if level)
    return tuple(level for level in name.split("/") if level) or (name,)


def _sorted(source: FolderList) -> list[tuple[tuple[str, ...], Folder]]:
    """Return what can be copied, the inbox first and parents before children."""
    found = [
        (source.namespace(folder).path(folder.name), folder)
        for folder in source.own()
        if folder.selectable
    ]

    def place(item: tuple[tuple[str, ...], Folder]) -> tuple[bool, list[str], str]:
        path, folder = item
        return path[0] != "INBOX", [level.casefold() for level in path], folder.name

    return sorted(found, key=place)


def _follow(
    path: tuple[str, ...],
    moved: dict[tuple[str, ...], tuple[str, ...]],
    *,
    below: tuple[str, ...] = (),
) -> tuple[str, ...]:
    """Return a path below the folder that its nearest moved parent became."""
    for depth in range(len(path) - 1, 0, -1):
        if path[:depth] in moved:
            return moved[path[:depth]] + path[depth:]
    return below + path


def _legal(path: tuple[str, ...], home: Namespace) -> tuple[str, ...]:
    """Return levels the destination can store, the same ones on each run."""
    return tuple(_legal_level(level, home.separator) for level in path)


def _legal_level(level: str, separator: str) -> str:
    clean = "".join("_" if ord(c) < 0x20 or ord(c) == 0x7F else c for c in level)
    # Where levels are parted by dots, folders usually are directories.
    for character in {separator, "/"} - {""}:
        clean = clean.replace(character, "_")
    if not clean.strip(".") or clean.startswith("~"):
        clean = "_" + clean.replace(".", "_")
    return clean
