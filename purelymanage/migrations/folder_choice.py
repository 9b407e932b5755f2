"""The folders of a job as somebody chooses from them: what goes where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from purelymanage.imap.folders import FolderList
from purelymanage.migrations.engines.base import CopyOptions
from purelymanage.migrations.engines.pipeline.choosing import left_behind
from purelymanage.migrations.engines.pipeline.mapping import Route, plan_routes
from purelymanage.migrations.engines.pipeline.sides import folders_of_new_mailbox
from purelymanage.migrations.options import JobOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """What both sides said; the destination's may not be known."""

    source: FolderList
    destination: FolderList | None
    gmail: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One folder of the source in the form."""

    name: str
    # Where it goes, and where it would go if nobody had a wish.
    there: str
    usual: str
    exists: bool
    chosen: bool
    # Why it is left out, unless somebody chooses it all the same.
    reason: str = ""

    @property
    def is_wish(self) -> bool:
        return self.there != self.usual


def lines_of(
    folders: Folders, options: JobOptions, server_left_out: Sequence[str]
) -> list[Line]:
    """Return the folders of the source in order, with where each of them goes."""
    usual = {
        it.source.name: it.name for it in _routes(folders, replace(options, mapping=()))
    }
    by_rule = left_behind(
        folders.source,
        CopyOptions(
            left_out=(*options.left_out, *server_left_out),
            skip_trash=options.skip_trash,
            skip_junk=options.skip_junk,
        ),
    )
    lines = []
    for route in _routes(folders, options):
        reason = by_rule.get(route.source.wire)
        chosen = (
            reason is None
            if options.folders is None
            else route.source.name in options.folders
        )
        lines.append(
            Line(
                name=route.source.name,
                there=route.name,
                usual=usual[route.source.name],
                exists=route.exists,
                chosen=chosen,
                reason=reason.value if reason is not None else "",
            )
        )
    return lines


def chosen_options(
    options: JobOptions,
    lines: Sequence[Line],
    chosen: set[str],
    wishes: Mapping[str, str],
) -> JobOptions:
    """Return the options with what somebody chose from the lines.

    Who changes nothing about the choice gets all folders there will be, and not those
    of today.
    """
    by_rule = {line.name for line in lines if not line.reason}
    names = tuple(line.name for line in lines if line.name in chosen)
    mapping = {
        line.name: wish
        for line in lines
        if (wish := wishes.get(line.name, "").strip()) and wish != line.usual
    }
    return replace(
        options,
        folders=None if set(names) == by_rule else names,
        mapping=tuple(mapping.items()),
    )


def _routes(folders: Folders, options: JobOptions) -> list[Route]:
    there = folders.destination or folders_of_new_mailbox()
    wished = CopyOptions(mapping=options.mapping, subfolder=options.subfolder)
    return plan_routes(folders.source, there, wished, gmail=folders.gmail)
