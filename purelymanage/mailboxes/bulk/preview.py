"""What the rows of a table would do to the account, before anything is done.

Pure: it is given the account and changes nothing, so that it can be drawn as often as
somebody chooses another column. Each record of the file gets a line here, and what
cannot be done says why, by column.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from purelymanage.figures import thin
from purelymanage.mailboxes import addresses, passwords
from purelymanage.mailboxes.bulk import meanings
from purelymanage.mailboxes.bulk.meanings import Meaningless
from purelymanage.mailboxes.bulk.wanted import LABELS, Defaults, Wanted
from purelymanage.mailboxes.tags import distinct, object_to_tags
from purelymanage.sheets.columns import values
from purelymanage.sheets.reading import Row, Sheet

LISTED = 1_000  # that many mailboxes PurelyMail tells of, and no more
RATING_SECONDS = 1.2
LONGEST_SHOWN = 254
ON_OFF = {None: "", True: "on", False: "off"}


class Verdict(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A mailbox as the mirror knows it; `None` where nobody has looked yet."""

    reset_allowed: bool | None = None
    search_indexing: bool | None = None
    recovery: frozenset[str] | None = None  # targets, written small
    tags: tuple[str, ...] = ()


NOBODY = Known()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What there is, as far as the person who imports may see it."""

    mailboxes: Mapping[str, Known]
    domains: Mapping[str, bool]  # by name, whether subaddressing is on
    # Addresses and domains that are to be deleted.
    frozen: frozenset[str] = frozenset()
    # Addresses that PurelyMail has been asked to create and has not answered for.
    asked: frozenset[str] = frozenset()
    count: int  # of all mailboxes, seen or not


@dataclass(frozen=True, slots=True)
class Fault:
    target: str  # the name of it, empty where the whole record is meant
    column: int | None
    sentence: str

    @property
    def label(self) -> str:
        return LABELS.get(self.target, "")


@dataclass(frozen=True, slots=True)
class Change:
    target: str
    before: str  # empty where it is not known, or a secret
    after: str

    @property
    def label(self) -> str:
        return LABELS[self.target]


@dataclass(slots=True)
class Line:
    """One record of the file and what it means for the account."""

    number: int
    last_number: int
    address: str
    verdict: Verdict = Verdict.ERROR
    changes: list[Change] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    wanted: Wanted | None = None  # set unless the verdict is an error
    # There was no time to rate its password here: whoever uses it has to.
    is_unrated: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    lines: tuple[Line, ...]
    remarks: tuple[str, ...]

    @property
    def counts(self) -> Mapping[Verdict, int]:
        counted = Counter(line.verdict for line in self.lines)
        return {verdict: counted[verdict] for verdict in Verdict}


def preview(
    sheet: Sheet,
    columns: Mapping[int, str],
    *,
    defaults: Defaults,
    account: Account,
    rating_seconds: float = RATING_SECONDS,
) -> Preview:
    """Return what each record of a table would do."""
    judge = _Judge(columns, defaults, account)
    lines = [judge.read(row) for row in sheet.rows]
    judge.rate_passwords(rating_seconds)
    for line in lines:
        judge.decide(line)
    lines += [
        Line(it.line, it.last_line, "", faults=[Fault("", it.column, it.sentence)])
        for it in sheet.problems
    ]
    lines.sort(key=lambda it: it.number)
    return Preview(tuple(lines), tuple(judge.remarks(lines)))


class _Judge:
    def __init__(
        self, columns: Mapping[int, str], defaults: Defaults, account: Account
    ) -> None:
        self.columns = columns
        self.numbers = {target: number for number, target in columns.items()}
        self.defaults = defaults
        self.account = account
        self.first_lines: dict[str, int] = {}
        self.typed: list[tuple[str, Line]] = []
        self.unused_passwords = False

    def read(self, row: Row) -> Line:
        """Return the line of a row, with all that is wrong with it."""
        cells = values(row, self.columns)
        written = cells.get("address", "").strip()
        line = Line(row.line, row.last_line, written[:LONGEST_SHOWN])
        with self._noting(line, "address"):
            local, domain = meanings.address(written, self.defaults.domain)
            line.address = f"{local}@{domain}"
            self._check_address(line, local, domain)

        known = self.account.mailboxes.get(line.address)
        is_new = known is None
        reset_allowed, search_indexing = None, None
        with self._noting(line, "reset_allowed"):
            reset_allowed = meanings.flag(cells.get("reset_allowed", ""))
        with self._noting(line, "search_indexing"):
            search_indexing = meanings.flag(cells.get("search_indexing", ""))
        if is_new and reset_allowed is None:
            reset_allowed = self.defaults.reset_allowed
        if is_new and search_indexing is None:
            search_indexing = self.defaults.search_indexing

        recovery_email, recovery_phone, password = "", "", ""
        tags: tuple[str, ...] = ()
        with self._noting(line, "recovery_email"):
            recovery_email = meanings.recovery_email(
                cells.get("recovery_email", ""), line.address
            )
        with self._noting(line, "recovery_phone"):
            recovery_phone = meanings.phone(cells.get("recovery_phone", ""))
        with self._noting(line, "tags"):
            tags = tuple(
                distinct([*meanings.tags(cells.get("tags", "")), *self.defaults.tags])
            )
            if objection := object_to_tags(distinct([*(known or NOBODY).tags, *tags])):
                raise Meaningless(objection)

        sets_password = is_new or self.defaults.reset_existing
        if sets_password and self.defaults.passwords_from_file:
            with self._noting(line, "password"):
                password = meanings.password(
                    cells.get("password", ""), cells.get("password_hash", "")
                )
                self.typed.append((password, line))
        elif cells.get("password", "").strip():
            self.unused_passwords = True

        line.wanted = Wanted(
            address=line.address,
            reset_allowed=reset_allowed,
            search_indexing=search_indexing,
            recovery_email=recovery_email,
            recovery_phone=recovery_phone,
            tags=tags,
            sets_password=sets_password,
            password=password,
        )
        return line

    def rate_passwords(self, seconds: float) -> None:
        """Refuse what is guessed soon, for as long as there is time.

        Rating takes the longer the longer a password is, and it is the short ones
        that are weak: those come first.
        """
        until = time.monotonic() + seconds
        for password, line in sorted(self.typed, key=lambda it: len(it[0])):
            is_slow = len(password) > passwords.NEVER_ENOUGH
            if is_slow and time.monotonic() > until:
                line.is_unrated = True
            elif sentence := passwords.object_to_strength(password, line.address):
                self._note(line, "password", sentence)

    def decide(self, line: Line) -> None:
        if line.faults or line.wanted is None:
            line.wanted = None
            line.is_unrated = False
        elif (known := self.account.mailboxes.get(line.address)) is None:
            line.verdict = Verdict.NEW
        else:
            line.changes = list(_changes(known, line.wanted))
            line.verdict = Verdict.CHANGED if line.changes else Verdict.SAME

    def remarks(self, lines: list[Line]) -> Iterator[str]:
        """Yield what matters for the file as a whole."""
        exist = sum(it.address in self.account.mailboxes for it in lines)
        new = sum(it.verdict == Verdict.NEW for it in lines)
        if new and self.account.count + new > LISTED:
            yield (
                f"The account would have {thin(self.account.count + new)} mailboxes. "
                f"PurelyMail lists {thin(LISTED)} at most, so some would be missing "
                "here, though they work."
            )
        if self.unused_passwords and not self.defaults.passwords_from_file:
            yield "The passwords in the file are not used; the panel makes new ones."
        elif self.unused_passwords:
            some = (
                "1 mailbox exists" if exist == 1 else f"{thin(exist)} mailboxes exist"
            )
            yield f"{some} already; their passwords stay as they are."
        shared = Counter(password for password, line in self.typed if line.wanted)
        if (rows := sum(it for it in shared.values() if it > 1)) > 0:
            yield f"{thin(rows)} rows have a password that another row has, too."
        if unrated := sum(it.is_unrated for it in lines):
            some = "1 password is" if unrated == 1 else f"{thin(unrated)} passwords are"
            yield f"{some} not rated yet. What proves weak is refused in its turn."

    def _check_address(self, line: Line, local: str, domain: str) -> None:
        address, account = line.address, self.account
        exists = address in account.mailboxes
        if not exists and domain not in account.domains:
            raise Meaningless(f"{domain[:LONGEST_SHOWN]} is no domain of this account.")
        if (first := self.first_lines.setdefault(address, line.number)) != line.number:
            raise Meaningless(f"Line {first} has the same address.")
        if {address, domain} & account.frozen:
            what = address if address in account.frozen else domain
            raise Meaningless(
                f"{what} is to be deleted and frozen until then. Cancel its deletion "
                "first."
            )
        if exists and not self.defaults.change_existing:
            raise Meaningless(f"{address} exists already.")
        if address in account.asked:
            raise Meaningless(
                f"PurelyMail has been asked to create {address} already, and its "
                "answer is awaited."
            )
        if not exists and (
            objection := addresses.object_to_address(
                local, domain, has_subaddressing=account.domains[domain]
            )
        ):
            raise Meaningless(objection)

    @contextmanager
    def _noting(self, line: Line, target: str) -> Iterator[None]:
        try:
            yield
        except Meaningless as exc:
            self._note(line, target, str(exc))

    def _note(self, line: Line, target: str, sentence: str) -> None:
        line.faults.append(Fault(target, self.numbers.get(target), sentence))


def _changes(known: Known, wanted: Wanted) -> Iterator[Change]:
    """Yield what is not yet as it is wanted. What nobody knows is not."""
    for target, before, after in (
        ("reset_allowed", known.reset_allowed, wanted.reset_allowed),
        ("search_indexing", known.search_indexing, wanted.search_indexing),
    ):
        if after is not None and after != before:
            yield Change(target, ON_OFF[before], ON_OFF[after])
    for target, method in (
        ("recovery_email", wanted.recovery_email),
        ("recovery_phone", wanted.recovery_phone),
    ):
        if method and (known.recovery is None or method.lower() not in known.recovery):
            yield Change(target, "", method)
    tags = distinct([*known.tags, *wanted.tags])
    if len(tags) > len(distinct(known.tags)):
        yield Change("tags", ", ".join(known.tags), ", ".join(tags))
    if wanted.sets_password:
        yield Change("password", "", "a new one")
