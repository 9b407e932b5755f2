from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from django.http import QueryDict

from purelymanage.errors import Refused
from purelymanage.migrations.folder_choice import Line, chosen_options
from purelymanage.migrations.options import LONGEST_NAME, JobOptions

# More would be more fields than a form may have, and nobody ticks so many.
MOST_LINES = 2000


@dataclass(frozen=True, slots=True)
class FolderChoice:
    """The part of the form that has a line for each folder of the source.

    Lines are known by the name that came with the form, so that folders that appear
    meanwhile are neither chosen nor left out by mistake.
    """

    chosen: frozenset[str]
    wishes: dict[str, str]

    @classmethod
    def read(cls, data: QueryDict) -> Self | None:
        """Return what was sent, or None from a page without a list of folders."""
        names = data.getlist("folder")
        if not names:
            return None
        places, usual = data.getlist("there"), data.getlist("usual")
        if len(places) != len(names) or len(usual) != len(names):
            raise Refused("The list of folders arrived incomplete. Read it again.")
        wishes = {}
        for name, there, rule in zip(names, places, usual, strict=True):
            if len(there) > LONGEST_NAME or not (there.isprintable() or not there):
                raise Refused(f"{name} cannot go into a folder of this name.")
            if there.strip() and there.strip() != rule:
                wishes[name] = there.strip()
        numbers = set(data.getlist("chosen"))
        chosen = {name for n, name in enumerate(names) if str(n) in numbers}
        return cls(frozenset(chosen), wishes)

    def apply(self, options: JobOptions, lines: Sequence[Line]) -> JobOptions:
        """Return the options with this choice among `lines`."""
        found = chosen_options(options, lines, set(self.chosen), self.wishes)
        if found.folders == ():
            raise Refused("Choose at least one folder.")
        return found

    def as_options(self, options: JobOptions) -> JobOptions:
        """Return the options as they were sent, to show them again."""
        return replace(
            options,
            folders=tuple(sorted(self.chosen)),
            mapping=tuple(self.wishes.items()),
        )
