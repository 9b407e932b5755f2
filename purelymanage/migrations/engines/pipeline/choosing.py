"""Which folders of the source are copied, and why the others are not."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum

from purelymanage.imap.folders import Folder, FolderList
from purelymanage.migrations.engines.base import CopyOptions

from .roles import role_of


class Left(StrEnum):
    """Why a folder stays behind."""

    NOT_CHOSEN = "not chosen"
    BY_NAME = "left out by its name"
    TRASH = "trash"
    JUNK = "spam"
    VIEW = "shows messages of other folders"


def left_behind(
    source: FolderList, options: CopyOptions, *, gmail: bool = False
) -> dict[bytes, Left]:
    """Return the folders that are not copied, by their name on the wire."""
    roles = _roles_above(source)
    found: dict[bytes, Left] = {}
    for folder in source.own():
        reason = _reason(folder, roles[folder.wire], options, gmail=gmail)
        if reason is not None:
            found[folder.wire] = reason
    return found


def is_named(name: str, patterns: Iterable[str]) -> bool:
    """Say whether a name fits a pattern, in which `*` stands for any characters."""
    return any(
        re.fullmatch(
            ".*".join(map(re.escape, pattern.split("*"))),
            name,
            re.IGNORECASE | re.DOTALL,
        )
        for pattern in patterns
    )


def _reason(
    folder: Folder, roles: set[str | None], options: CopyOptions, *, gmail: bool
) -> Left | None:
    if gmail and folder.attributes & {"\\FLAGGED", "\\IMPORTANT"}:
        return Left.VIEW
    if options.folders is not None and folder.name not in options.folders:
        return Left.NOT_CHOSEN
    if is_named(folder.name, options.left_out):
        return Left.BY_NAME
    if options.skip_trash and "trash" in roles:
        return Left.TRASH
    if options.skip_junk and "junk" in roles:
        return Left.JUNK
    return None


def _roles_above(source: FolderList) -> dict[bytes, set[str | None]]:
    """Return what each folder and those that it lies in are for."""
    paths = {it.wire: source.namespace(it).path(it.name) for it in source.own()}
    roles = {paths[it.wire]: role_of(source, it) for it in source.own()}
    return {
        wire: {roles.get(path[:depth]) for depth in range(1, len(path) + 1)}
        for wire, path in paths.items()
    }
