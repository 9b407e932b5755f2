"""What the rows of a table would become, before anything is kept of them.

Pure: it is given what there is and changes nothing, so that it can be drawn as often as
somebody looks. Each record of the file gets a line here, and what cannot be copied says
why, by column.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from django.conf import settings

from purelymanage.accounts.models import User
from purelymanage.figures import thin
from purelymanage.mailboxes import addresses
from purelymanage.mailboxes.bulk.meanings import Meaningless
from purelymanage.mailboxes.bulk.preview import Account
from purelymanage.migrations.importing import meanings
from purelymanage.migrations.importing.columns import (
    DESTINATION,
    DESTINATION_PASSWORD,
    NEW_NAME,
    PASSWORD,
    SOURCE,
)
from purelymanage.migrations.models import Job, Server
from purelymanage.sheets.columns import column_name, values
from purelymanage.sheets.reading import Row, Sheet

LONGEST_SHOWN = 254


class Verdict(StrEnum):
    READY = "ready"
    NEW = "new"  # its mailbox is created first
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where the rows are to go, and what there is already."""

    server: Server
    person: User  # in whose name they are imported
    account: Account  # as far as this person may see it
    destination_server: Server | None = None
    # Of names without one, and of mailboxes whose destination is not said.
    domain: str = ""
    creates_missing: bool = False
    # Of the jobs that are waiting or running, see `Job.pair`.
    pairs: frozenset[str] = frozenset()


@dataclass(slots=True)
class Line:
    """One record of the file."""

    number: int
    source: str = ""
    destination: str = ""
    verdict: Verdict = Verdict.ERROR
    # Pairs of a column's name and a sentence.
    faults: list[tuple[str, str]] = field(default_factory=list)
    is_missing: bool = False  # there is no such mailbox, but there could be
    password: str = field(default="", repr=False)
    destination_password: str = field(default="", repr=False)

    @property
    def domain(self) -> str:
        return self.destination.rpartition("@")[2]

    def faults_without_cells(self, labels: Mapping[str, str]) -> list[tuple[str, str]]:
        """Return the faults as they may be kept, with `labels` for names of columns.

        A password may stand where an address should, or in a first line that was taken
        for names.
        """
        return [
            (labels.get(name, ""), _without_domain(sentence, self.domain))
            for name, sentence in self.faults
        ]


@dataclass(frozen=True, slots=True)
class Preview:
    lines: tuple[Line, ...]
    remarks: tuple[str, ...]
    columns: Mapping[int, str]

    @property
    def counts(self) -> dict[str, int]:
        counted = Counter(line.verdict for line in self.lines)
        return {verdict.value: counted[verdict] for verdict in Verdict}

    @property
    def ready(self) -> list[Line]:
        return [line for line in self.lines if line.verdict != Verdict.ERROR]

    @property
    def missing(self) -> int:
        """How many rows lack nothing but their mailbox."""
        return sum(it.is_missing and len(it.faults) == 1 for it in self.lines)

    @property
    def digest(self) -> str:
        """What is the same as long as every line means what was shown."""
        shown = [f"{number} {name}" for number, name in sorted(self.columns.items())]
        shown += [
            f"{it.number} {it.verdict} {it.source} {it.destination}"
            for it in self.lines
        ]
        return hashlib.sha256("\n".join(shown).encode(errors="replace")).hexdigest()


def _without_domain(sentence: str, domain: str) -> str:
    told = f"{domain} is "
    if domain and sentence.startswith(told):
        return f"Its domain is {sentence.removeprefix(told)}"
    return sentence


def preview(
    sheet: Sheet, columns: Mapping[int, str], surroundings: Surroundings
) -> Preview:
    """Return what each record of a table would become."""
    judge = _Judge(sheet, columns, surroundings)
    lines = [judge.read(row) for row in sheet.rows]
    lines += [
        Line(it.line, faults=[(column_name(sheet.header, it.column), it.sentence)])
        for it in sheet.problems
    ]
    lines.sort(key=lambda it: it.number)
    return Preview(tuple(lines), tuple(judge.remarks(lines)), columns)


class _Judge:
    def __init__(
        self, sheet: Sheet, columns: Mapping[int, str], surroundings: Surroundings
    ) -> None:
        self.columns = columns
        self.names = {
            target: column_name(sheet.header, number)
            for number, target in columns.items()
        }
        self.around = surroundings
        self.other = surroundings.destination_server
        self.first_lines: dict[str, int] = {}
        self.unused_passwords = 0
        self.spaced_passwords = 0
        # Knows what makes a pair of two mailboxes.
        self.job = Job(server=surroundings.server, destination_server=self.other)

    def read(self, row: Row) -> Line:
        """Return the line of a row, with all that is wrong with it."""
        cells = values(row, self.columns)
        line = Line(row.line, cells.get(SOURCE, "").strip()[:LONGEST_SHOWN])
        with meanings.noting(line.faults, self.names.get(SOURCE, "")):
            line.source = meanings.user(cells.get(SOURCE, ""))
        with meanings.noting(line.faults, self.names.get(PASSWORD, "")):
            line.password = meanings.password(cells.get(PASSWORD, ""))
            self.spaced_passwords += line.password != line.password.strip()

        written = cells.get(DESTINATION, "")
        line.destination = written.strip()[:LONGEST_SHOWN]
        with meanings.noting(line.faults, self.names.get(DESTINATION, "")):
            if self.other is None:
                self._find_mailbox(line, cells)
            else:
                line.destination = meanings.user(written or line.source)
        self._read_destination_password(line, cells.get(DESTINATION_PASSWORD, ""))
        with meanings.noting(line.faults, ""):
            self._check_pair(line)

        if not line.faults:
            line.verdict = Verdict.NEW if line.is_missing else Verdict.READY
        return line

    def remarks(self, lines: list[Line]) -> Iterator[str]:
        """Yield what matters for the file as a whole."""
        if DESTINATION not in self.columns.values():
            yield (
                "No column is the new mailbox, so each goes into the one of the same "
                "name."
            )
        into = Counter(it.destination for it in lines if it.verdict != Verdict.ERROR)
        if shared := sum(it > 1 for it in into.values()):
            several = "1 mailbox is" if shared == 1 else f"{thin(shared)} mailboxes are"
            yield f"{several} filled from several old ones."
        if self.unused_passwords:
            yield (
                "The passwords of the new mailboxes are not used: the panel makes an "
                "app password for each copy and revokes it afterwards."
            )
        if self.spaced_passwords:
            yield (
                f"{thin(self.spaced_passwords)} passwords begin or end with a space, "
                "which is taken for a part of them."
            )

    def _find_mailbox(self, line: Line, cells: Mapping[str, str]) -> None:
        around = self.around
        new_name = cells.get(NEW_NAME, "")
        written = cells.get(DESTINATION, "")
        if not written.strip():
            if DESTINATION in self.columns.values() and not new_name.strip():
                raise Meaningless("There is no new mailbox.")
            if not line.source:
                return  # which is wrong enough
            local, _, domain = line.source.lower().rpartition("@")
            written = f"{local or domain}@{around.domain or domain}"
        line.destination = meanings.destination(written, new_name, around.domain)
        self._check_mailbox(line)

    def _check_mailbox(self, line: Line) -> None:
        address, domain, account = line.destination, line.domain, self.around.account
        if not self.around.person.covers(domain):
            raise Meaningless(f"{domain} is not one of your domains.")
        is_purelymail = (
            self.around.server.host.lower() == settings.PURELYMAIL_IMAP_HOST.lower()
        )
        if is_purelymail and line.source.lower() == address:
            raise Meaningless("This is the old mailbox itself.")
        if pending := {address, domain} & account.frozen:
            what = address if address in pending else domain
            raise Meaningless(
                f"{what} is to be deleted and frozen until then. Cancel its deletion "
                "first."
            )
        if address in account.mailboxes:
            return
        if domain not in account.domains:
            raise Meaningless(f"{domain} is no domain of this account.")
        if address in account.asked:
            raise Meaningless(
                "PurelyMail has been asked to create this mailbox, and its answer is "
                "awaited. Try again in a few minutes."
            )
        if objection := addresses.object_to_address(
            address.rpartition("@")[0],
            domain,
            has_subaddressing=account.domains[domain],
        ):
            raise Meaningless(
                f"There is no such mailbox, nor can there be. {objection}"
            )
        line.is_missing = True
        if not self.around.creates_missing:
            raise Meaningless(
                "There is no such mailbox in this account. Create it first, or let the "
                "panel create what is missing."
            )

    def _read_destination_password(self, line: Line, cell: str) -> None:
        if self.other is None:
            self.unused_passwords += bool(cell.strip())
            return
        with meanings.noting(line.faults, self.names.get(DESTINATION_PASSWORD, "")):
            line.destination_password = meanings.password(cell)

    def _check_pair(self, line: Line) -> None:
        if not line.source or not line.destination:
            return
        if self.other is not None and self._is_same(line):
            raise Meaningless("The old and the new mailbox are the same.")
        self.job.source_user, self.job.destination = line.source, line.destination
        pair = self.job.pair
        if (first := self.first_lines.setdefault(pair, line.number)) != line.number:
            raise Meaningless(f"Line {first} has the same two mailboxes.")
        if pair in self.around.pairs:
            raise Meaningless("This is being copied already.")

    def _is_same(self, line: Line) -> bool:
        assert self.other is not None
        here, there = self.around.server, self.other
        return (here.host.lower(), here.port, line.source.lower()) == (
            there.host.lower(),
            there.port,
            line.destination.lower(),
        )
