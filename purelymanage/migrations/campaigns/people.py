"""Who is to be asked, read from a table: one old mailbox a row."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from purelymanage.accounts.models import User
from purelymanage.mailboxes.bulk.meanings import Meaningless
from purelymanage.migrations.importing import columns as copies
from purelymanage.migrations.importing import meanings
from purelymanage.sheets.cells import as_meant, invisible
from purelymanage.sheets.columns import Target, column_name, guess, values
from purelymanage.sheets.errors import Unreadable
from purelymanage.sheets.providers import plain
from purelymanage.sheets.reading import ADDRESS, Row, Sheet
from purelymanage.wording import NO_ADDRESS

NAME = "name"
LONGEST_NAME, LONGEST_ADDRESS = 100, 254
TARGETS = (
    *(it for it in copies.TARGETS if it.name in {copies.SOURCE, copies.DESTINATION}),
    Target(
        NAME,
        "name",
        (
            "Owner",
            "Person",
            "Full name",
            "Display name",
            "First name",
            "Anzeigename",
            "Vorname",
            "Vollständiger Name",
        ),
    ),
)

# One of a list of recipients: an address, or a name and an address in brackets.
RECIPIENT = re.compile(
    r"""\s*(?:(?:"([^"\n]*)"[ ]*|([^\s<>",;|][^<>",;|\t\n]*))?<([^\s<>@,;|]+@[^\s<>@,;|]+)>
    |([^\s<>@",;|]+@[^\s<>@",;|]+))[ \t]*(?:[,;\r\n]\s*|$)""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Person:
    address: str
    name: str = ""
    destination: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that says nothing of use, and why."""

    line: int
    sentence: str
    cells: tuple[str, ...] = ()


@dataclass(slots=True)
class People:
    """What a table says."""

    found: list[Person] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    # Columns that were taken for nothing.
    unused: list[str] = field(default_factory=list)


def one_a_line(pasted: str) -> str:
    """Return a list as mail programs copy it as a table; anything else as it is.

    Two bare addresses in a line may be an old and a new mailbox, and stay.
    """
    rows: list[str] = []
    told = False
    for line in pasted.splitlines():
        found = _recipients(line)
        names = [name for _, name in found]
        if (line.strip() and not found) or (len(found) == 2 and not all(names)):
            return pasted
        told = told or any(names) or len(found) > 2
        rows += [f"{address}\t{name}" for address, name in found] or [""]
    return "\n".join(rows) if told else pasted


def _recipients(line: str) -> list[tuple[str, str]]:
    """Return the addresses and names in a line, none if there is anything else."""
    line, found, at = line.rstrip(), [], 0
    while at < len(line):
        one = RECIPIENT.match(line, at)
        if one is None:
            return []
        quoted, name, within, bare = one.groups()
        said = quoted or name or ""
        # Many mail programs write the address once more where they know no name.
        if "@" in said:
            said = ""
        found.append((within or bare, " ".join(re.sub("[,;|]", " ", said).split())))
        at = one.end()
    return found


def read_people(sheet: Sheet, *, domain: str, person: User) -> People:
    """Return the people of a table, or raise `Unreadable` if it is no such table.

    `domain` is that of new mailboxes without one. Each must be within the domains of
    the `person` who lists them.
    """
    _refuse_passwords(sheet)
    chosen = _columns(sheet)
    people, seen = People(unused=_unused(sheet, chosen)), set[str]()
    for problem in sheet.problems:
        people.faults.append(Fault(problem.line, problem.sentence))
    for row in sheet.rows:
        try:
            one = _person(values(row, chosen), domain, person)
            if one.address in seen:
                raise Meaningless("This address is in the table more than once.")
        except Meaningless as exc:
            cells = tuple(row.cells[it] for it in sorted(chosen))
            people.faults.append(Fault(row.line, str(exc), cells))
        else:
            seen.add(one.address)
            people.found.append(one)
    people.faults.sort(key=lambda it: it.line)
    return people


def _refuse_passwords(sheet: Sheet) -> None:
    """Take no table with passwords: that nobody writes such tables is the point."""
    header = [plain(it) for it in sheet.header] if sheet.has_header else []
    for target in copies.TARGETS:
        if target.is_secret and target.names & set(header):
            raise Unreadable(
                "This table has a column for passwords. Take it out: here owners enter "
                "them themselves. Nothing of this table was kept."
            )


def _columns(sheet: Sheet) -> Mapping[int, str]:
    if not sheet.has_header:
        return _by_place(sheet.rows, len(sheet.header))
    guessed = guess(sheet.header, TARGETS, sheet.rows)
    if copies.SOURCE not in guessed.columns.values():
        raise Unreadable(
            "No column is surely the old mailbox. Call it “Old mailbox” in the first "
            "line."
        )
    if guessed.doubts:
        raise Unreadable(
            f"{' '.join(guessed.doubts)} Leave the others out of the table."
        )
    return guessed.columns


def _unused(sheet: Sheet, chosen: Mapping[int, str]) -> list[str]:
    """Return the columns that somebody may have meant for something."""
    filled = {
        number
        for row in sheet.rows
        for number, it in enumerate(row.cells)
        if it.strip()
    }
    return [column_name(sheet.header, it) for it in sorted(filled - set(chosen))]


def _by_place(rows: tuple[Row, ...], width: int) -> Mapping[int, str]:
    """Without names above them: the old mailbox first, then the new one or a name."""
    found = {0: copies.SOURCE}
    for number in range(1, width):
        cells = [it.cells[number].strip() for it in rows]
        filled = [it for it in cells if it]
        is_address = bool(filled) and bool(ADDRESS.fullmatch(filled[0]))
        target = copies.DESTINATION if is_address else NAME
        if filled and target not in found.values():
            found[number] = target
    return found


def _person(cells: Mapping[str, str], domain: str, person: User) -> Person:
    address = as_meant(cells[copies.SOURCE].strip()).strip("<>").lower()
    if not address:
        raise Meaningless("There is no address.")
    try:
        validate_email(address)
    except ValidationError:
        raise Meaningless(NO_ADDRESS) from None
    if len(address) > LONGEST_ADDRESS:
        raise Meaningless("This is longer than any address can be.")
    name = " ".join(as_meant(cells.get(NAME, "")).split())
    if len(name) > LONGEST_NAME or invisible(name):
        raise Meaningless("The name is too long, or there is something odd in it.")
    written = cells.get(copies.DESTINATION, "")
    destination = meanings.destination(written, "", domain) if written.strip() else ""
    if destination and not person.covers(destination.rpartition("@")[2]):
        raise Meaningless("The new mailbox is not at one of your domains.")
    return Person(address, name, destination)
