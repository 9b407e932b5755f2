"""Folders that differ in letters alone, where those are the same to the destination.

Nothing tells beforehand, and a plan or a comparison may not create a folder to see.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from purelymanage.imap import names
from purelymanage.imap.connection import Connection
from purelymanage.imap.folders import Folder, FolderList, mailbox

from .mapping import Route


async def find_homes(
    destination: Connection, listed: FolderList, routes: list[Route]
) -> list[Route]:
    """Return the routes into the folders that a copy would find or make there."""
    by_letters: dict[str, Folder] = {}
    for folder in listed.folders:
        by_letters.setdefault(folder.name.casefold(), folder)
    lacking = Counter(it.name.casefold() for it in routes if not it.exists)
    made: dict[str, Route] = {}
    found = []
    for route in routes:
        letters = route.name.casefold()
        twin = by_letters.get(letters)
        if route.exists or (twin is not None and twin.name == route.name):
            found.append(route)
        elif twin is not None:
            is_there = await _is_there(destination, route.wire)
            found.append(_into(route, twin) if is_there else route)
        elif lacking[letters] > 1 and letters in made:
            first = made[letters]
            is_same = await _ignores_letters(destination, listed)
            home = (first.wire, first.name) if is_same else (route.wire, route.name)
            found.append(replace(route, wire=home[0], name=home[1]))
        else:
            made[letters] = route
            found.append(route)
    return found


def _into(route: Route, folder: Folder) -> Route:
    return replace(
        route,
        wire=folder.wire,
        name=folder.name,
        exists=True,
        subscribed=folder.subscribed,
    )


async def _is_there(connection: Connection, wire: bytes) -> bool:
    """Say whether a name means a folder, listed like that or not."""
    words = b"STATUS ", mailbox(wire), b" (UIDNEXT)"
    return (await (await connection.send(*words))).ok


async def _ignores_letters(connection: Connection, listed: FolderList) -> bool:
    """Try it with a folder that is there; without one, letters count."""
    known = {folder.name for folder in listed.folders}
    for folder in listed.own():
        other = folder.name.swapcase()
        is_fit = folder.selectable and folder.name.isascii() and other not in known
        if is_fit and folder.name.upper() != "INBOX":
            return await _is_there(connection, names.encode(other))
    return False
