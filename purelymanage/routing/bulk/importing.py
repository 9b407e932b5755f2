"""What the rows of a table would do to the rules."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.deletions import policy
from purelymanage.routing.bulk import meanings
from purelymanage.routing.bulk.judging import Judge, Line
from purelymanage.routing.bulk.meanings import TARGETS, Meaningless
from purelymanage.routing.model.rules import Kind, Rule
from purelymanage.routing.models import RuleBulkRow
from purelymanage.routing.models.expiries import first_day
from purelymanage.sheets.columns import values
from purelymanage.sheets.reading import Row, Sheet

LONGEST_SHOWN = 254


def rows_for(sheet: Sheet, columns: Mapping[int, str], user: User) -> list[RuleBulkRow]:
    judge = Judge(user)
    first = first_day(policy.grace(), timezone.now())
    reader = _Reader(columns, sheet, judge, first)
    lines = [reader.read(row) for row in sheet.rows]
    lines += [Line(it.line, "", faults=[("", it.sentence)]) for it in sheet.problems]
    lines.sort(key=lambda it: it.number)
    return judge.rows(lines)


class _Reader:
    def __init__(
        self, columns: Mapping[int, str], sheet: Sheet, judge: Judge, first: date
    ) -> None:
        self.columns = columns
        self.judge = judge
        self.first = first
        self.names = {
            target: " ".join(sheet.header[number].split())[:60]
            or f"Column {number + 1}"
            for number, target in columns.items()
        }

    def read(self, row: Row) -> Line:
        """Return the line of a row, with all that is wrong with it."""
        cells = {it.name: "" for it in TARGETS} | values(row, self.columns)
        line = Line(row.line, cells["address"].strip()[:LONGEST_SHOWN])
        pattern = kind = targets = None
        try:
            pattern = meanings.pattern(cells["address"])
        except Meaningless as exc:
            self._note(line, "address", exc)
        if pattern is not None:
            try:
                kind = meanings.kind(cells["kind"], pattern)
            except Meaningless as exc:
                self._note(line, "kind", exc)
        try:
            targets = meanings.targets(cells["targets"])
        except Meaningless as exc:
            self._note(line, "targets", exc)
        self._read_wishes(line, cells)
        if pattern is None or kind is None or targets is None:
            return line
        line.rule = Rule(
            domain=pattern.domain,
            match_user=pattern.local,
            prefix=kind != Kind.EXACT,
            catchall=kind == Kind.CATCH_ALL,
            targets=targets,
        )
        self._keep_copy(line, cells["keep_copy"])
        return line

    def _read_wishes(self, line: Line, cells: dict[str, str]) -> None:
        try:
            if note := meanings.note(cells["note"]):
                line.wishes["note"] = note
        except Meaningless as exc:
            self._note(line, "note", exc)
        try:
            if day := meanings.day(cells["expires"], self.first):
                line.wishes["ends_on"] = day.isoformat()
        except Meaningless as exc:
            self._note(line, "expires", exc)

    def _keep_copy(self, line: Line, cell: str) -> None:
        assert line.rule is not None
        rule = line.rule
        try:
            if not meanings.flag(cell) or rule.pattern in rule.targets:
                return
            if rule.kind != Kind.EXACT:
                raise Meaningless("Only a rule for an exact address can leave a copy.")
            if rule.pattern not in self.judge.account.mailboxes:
                raise Meaningless(f"There is no mailbox {rule.pattern} for a copy.")
        except Meaningless as exc:
            self._note(line, "keep_copy", exc)
        else:
            line.rule = Rule(
                domain=rule.domain,
                match_user=rule.match_user,
                prefix=False,
                catchall=False,
                targets=(rule.pattern, *rule.targets),
            )

    def _note(self, line: Line, target: str, fault: Meaningless) -> None:
        line.faults.append((self.names.get(target, ""), str(fault)))
