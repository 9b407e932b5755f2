"""Which rows of a table of passwords are for which jobs. Pure: it changes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from purelymanage.figures import thin
from purelymanage.mailboxes.bulk.meanings import Meaningless
from purelymanage.migrations.importing import meanings
from purelymanage.migrations.importing.columns import (
    DESTINATION_PASSWORD,
    PASSWORD,
    SOURCE,
)
from purelymanage.migrations.importing.columns import TARGETS as COPY_TARGETS
from purelymanage.sheets.columns import Guess, Target, column_name, guess, values
from purelymanage.sheets.reading import Row, Sheet

LONGEST_SHOWN = 254
BY_PLACE = (
    "Without names above them, the columns were taken for old mailbox and new password."
)
_OF_COPIES = {it.name: it for it in COPY_TARGETS}
# Only one password is new here, and that is mostly what it is called.
_PASSWORD = replace(
    _OF_COPIES[PASSWORD],
    label="new password",
    synonyms=(
        *_OF_COPIES[PASSWORD].synonyms,
        "Present password",
        "Neues Passwort",
        "Neues Kennwort",
    ),
)
_OTHER = replace(
    _OF_COPIES[DESTINATION_PASSWORD],
    synonyms=("Destination password", "Dest password", "Target password", "Password2"),
)


def targets_of(*, has_other_server: bool) -> tuple[Target, ...]:
    found = (_OF_COPIES[SOURCE], _PASSWORD)
    return (*found, _OTHER) if has_other_server else found


def guess_columns(sheet: Sheet, targets: Sequence[Target]) -> Guess:
    width = len(sheet.header)
    if not sheet.has_header and 2 <= width <= len(targets):
        known = {number: targets[number].name for number in range(width)}
        return Guess(columns=known, provider="", doubts=(), remarks=(BY_PLACE,))
    return guess(sheet.header, targets, sheet.rows)


class Candidate(NamedTuple):
    """A job of the batch, as far as it matters which row is for it."""

    pk: int
    source_user: str
    destination: str
    # That of the new mailbox is not stored any more.
    lacks_password: bool


@dataclass(slots=True)
class Line:
    """One record of the file."""

    number: int
    source: str = ""
    jobs: list[Candidate] = field(default_factory=list)
    # Pairs of a column's name and a sentence.
    faults: list[tuple[str, str]] = field(default_factory=list)
    password: str = field(default="", repr=False)
    destination_password: str = field(default="", repr=False)

    @property
    def is_ready(self) -> bool:
        return not self.faults


@dataclass(frozen=True, slots=True)
class Matching:
    """What each record of a table is for, those with an error first."""

    lines: tuple[Line, ...]
    # How many chosen jobs no row is for.
    unnamed: int

    @property
    def ready(self) -> list[Line]:
        return [line for line in self.lines if line.is_ready]

    @property
    def wrong(self) -> int:
        return len(self.lines) - len(self.ready)

    @property
    def jobs(self) -> int:
        return sum(len(line.jobs) for line in self.ready)

    @property
    def remarks(self) -> list[str]:
        if not self.unnamed:
            return []
        several = "mailbox is" if self.unnamed == 1 else "mailboxes are"
        return [
            f"{thin(self.unnamed)} chosen {several} not in the table and nothing "
            "changes there."
        ]

    @property
    def digest(self) -> str:
        """What is the same as long as every line is for what was shown."""
        shown = [f"{it.number} {[job.pk for job in it.jobs]}" for it in self.ready]
        return hashlib.sha256("\n".join(shown).encode()).hexdigest()


def match(
    sheet: Sheet,
    columns: Mapping[int, str],
    *,
    jobs: Sequence[Candidate],
    chosen: set[int],
    busy: set[int],
) -> Matching:
    """Return what the rows are for, of all `jobs` of a batch.

    `chosen` are the keys of those that are meant, `busy` of those that are running.
    """
    judge = _Judge(sheet, columns, jobs, chosen, busy)
    lines = [judge.read(row) for row in sheet.rows]
    lines += [
        Line(it.line, faults=[(column_name(sheet.header, it.column), it.sentence)])
        for it in sheet.problems
    ]
    lines.sort(key=lambda it: (it.is_ready, it.number))
    named = {job.pk for line in lines if line.is_ready for job in line.jobs}
    return Matching(tuple(lines), len(chosen - named))


class _Judge:
    def __init__(
        self,
        sheet: Sheet,
        columns: Mapping[int, str],
        jobs: Sequence[Candidate],
        chosen: set[int],
        busy: set[int],
    ) -> None:
        self.columns = columns
        self.names = {
            target: column_name(sheet.header, number)
            for number, target in columns.items()
        }
        self.chosen, self.busy = chosen, busy
        self.jobs: dict[str, list[Candidate]] = {}
        for job in jobs:
            self.jobs.setdefault(job.source_user.lower(), []).append(job)
        self.first_lines: dict[str, int] = {}

    def read(self, row: Row) -> Line:
        cells = values(row, self.columns)
        line = Line(row.line, cells.get(SOURCE, "").strip()[:LONGEST_SHOWN])
        with meanings.noting(line.faults, self.names.get(SOURCE, "")):
            line.source = meanings.user(cells.get(SOURCE, ""))
            line.jobs = self._find(line)
        with meanings.noting(line.faults, self.names.get(PASSWORD, "")):
            line.password = meanings.password(cells.get(PASSWORD, ""))
        with meanings.noting(line.faults, self.names.get(DESTINATION_PASSWORD, "")):
            written = cells.get(DESTINATION_PASSWORD, "")
            if written.strip():
                line.destination_password = meanings.password(written)
            elif any(job.lacks_password for job in line.jobs):
                raise Meaningless(
                    "The password of the new mailbox is not stored any more. Give it "
                    "as well."
                )
        return line

    def _find(self, line: Line) -> list[Candidate]:
        name = line.source.lower()
        if (first := self.first_lines.setdefault(name, line.number)) != line.number:
            raise Meaningless(f"Line {first} has the same old mailbox.")
        known = self.jobs.get(name, [])
        if not known:
            raise Meaningless("No mailbox of this batch is copied from there.")
        found = [job for job in known if job.pk in self.chosen]
        if not found:
            raise Meaningless("It is in this batch, but is not among those chosen.")
        if any(job.pk in self.busy for job in found):
            raise Meaningless(
                "It is running. Stop it first, or wait until it has ended."
            )
        return found
