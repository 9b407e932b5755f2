"""Which column of a table is what. Where two might be, neither is taken."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from purelymanage.sheets.providers import Provider, plain, provider_of
from purelymanage.sheets.reading import Row

ROWS_LOOKED_AT = 50
LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class Target:
    """What a column may be taken for."""

    name: str
    label: str  # as the page calls it, after "the"
    synonyms: tuple[str, ...] = ()
    is_required: bool = False
    is_secret: bool = False
    # What its cells look like, where nothing tells by name.
    pattern: re.Pattern[str] | None = None

    @property
    def names(self) -> frozenset[str]:
        return frozenset(map(plain, (self.name, self.label, *self.synonyms)))


@dataclass(frozen=True, slots=True)
class Guess:
    columns: Mapping[int, str]  # the number of a column, from 0, to a target's name
    provider: str  # whose export it seems to be, empty if nobody's
    doubts: tuple[str, ...]  # what a person has to decide
    remarks: tuple[str, ...]


def guess(
    header: Sequence[str], targets: Sequence[Target], rows: Sequence[Row] = ()
) -> Guess:
    """Return which columns of a table are meant for which targets."""
    provider = provider_of(header)
    candidates = _candidates(header, targets, provider)
    columns: dict[int, str] = {}
    doubts: list[str] = []
    remarks: list[str] = []
    claimed = [number for numbers in candidates.values() for number in numbers]

    for target in targets:
        numbers = candidates[target.name]
        alone = [it for it in numbers if claimed.count(it) == 1]
        if len(numbers) == 1 and alone:
            columns[numbers[0]] = target.name
        elif len(numbers) == 1:
            doubts.append(
                f"{_name(header, numbers[0])} may be the {target.label} or something "
                "else. Choose."
            )
        elif numbers:
            names = _listed([_name(header, it) for it in numbers])
            doubts.append(f"{names} may each be the {target.label}. Choose one.")
        elif target.is_required:
            free = [it for it in range(len(header)) if it not in claimed]
            alike = list(_alike(target, free, rows))
            if len(alike) == 1:
                columns[alike[0]] = target.name
                remarks.append(
                    f"{_name(header, alike[0])} was taken for the {target.label} "
                    "by what stands in it."
                )
            else:
                doubts.append(f"No column is surely the {target.label}. Choose it.")
    return Guess(
        columns=dict(sorted(columns.items())),
        provider=provider.name if provider else "",
        doubts=tuple(doubts),
        remarks=tuple(remarks),
    )


def objections(
    columns: Mapping[int, str], header: Sequence[str], targets: Sequence[Target]
) -> list[str]:
    """Return what is wrong with a choice of columns, in sentences."""
    known = {it.name: it for it in targets}
    found = []
    if not all(0 <= it < len(header) for it in columns):
        found.append("A column was chosen that is not in this file.")
    if not all(it in known for it in columns.values()):
        found.append("A column was taken for something that is not asked for.")
    chosen = list(columns.values())
    for target in targets:
        if chosen.count(target.name) > 1:
            found.append(f"Several columns are the {target.label}. Choose one.")
        elif target.is_required and target.name not in chosen:
            found.append(f"No column is the {target.label}. Choose it.")
    return found


def values(row: Row, columns: Mapping[int, str]) -> dict[str, str]:
    """Return the cells of a row by the targets that they are meant for."""
    return {target: row.cells[number] for number, target in columns.items()}


def column_name(header: Sequence[str], number: int | None) -> str:
    """Return what a column is called in front of a sentence about one of its cells."""
    if number is None or number >= len(header):
        return ""
    return " ".join(header[number].split())[:60] or f"Column {number + 1}"


def _candidates(
    header: Sequence[str], targets: Sequence[Target], provider: Provider | None
) -> dict[str, list[int]]:
    """Return the columns that may be meant for each target.

    What is known of a provider's export comes before what a name may mean elsewhere.
    """
    names = [plain(it) for it in header]
    found: dict[str, list[int]] = {}
    meanings = provider.meanings if provider else {}
    for target in targets:
        numbers = [
            number
            for number, name in enumerate(names)
            if name and meanings.get(name) == target.name
        ]
        found[target.name] = numbers or [
            number
            for number, name in enumerate(names)
            if name in target.names and name not in meanings
        ]
    return found


def _alike(
    target: Target, columns: Sequence[int], rows: Sequence[Row]
) -> Iterator[int]:
    if target.pattern is None:
        return
    for number in columns:
        cells = [row.cells[number].strip() for row in rows[:ROWS_LOOKED_AT]]
        filled = [it for it in cells if it]
        if filled and all(target.pattern.fullmatch(it) for it in filled):
            yield number


def _name(header: Sequence[str], number: int) -> str:
    name = " ".join(header[number].split())
    if len(name) > LONGEST_NAME:
        name = f"{name[:LONGEST_NAME]}…"
    if not name or name == f"Column {number + 1}":
        return f"Column {number + 1}"
    return f"Column {number + 1} “{name}”"


def _listed(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
