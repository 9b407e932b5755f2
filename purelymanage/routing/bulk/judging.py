"""What each of many rules would mean for the account, before anything is done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from purelymanage.accounts.models import User
from purelymanage.deletions.models import Kind as DeletionKind
from purelymanage.deletions.models import PendingDeletion
from purelymanage.routing.deeds import fields_of
from purelymanage.routing.model.accounts import Account
from purelymanage.routing.model.checks import check_rule
from purelymanage.routing.model.findings import Check, Finding
from purelymanage.routing.model.rules import Rule
from purelymanage.routing.models import Expiry, RuleBulkRow
from purelymanage.routing.models import Rule as Row
from purelymanage.routing.reading import account_for

Match = tuple[str, str, bool]
State, Verdict = RuleBulkRow.State, RuleBulkRow.Verdict
FROZEN = "It is to be deleted and frozen until then. Cancel its deletion first."
SAID = ("broken", "attention")
TAKING = {Check.TAKES_MAIL, Check.SILENCES_DOMAIN}


@dataclass(slots=True)
class Line:
    """A rule that somebody wants, and where it was written."""

    number: int
    pattern: str
    rule: Rule | None = None
    wishes: dict[str, Any] = field(default_factory=dict)
    # Pairs of a column's name and a sentence.
    faults: list[tuple[str, str]] = field(default_factory=list)
    # Why it is not to be done although nothing is wrong with it.
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """A rule that is there, with what its row says."""

    rule: Rule
    row: Row
    ends_on: str


class Judge:
    """Compares what is wanted with the account as somebody may see it."""

    def __init__(self, user: User) -> None:
        self.account = account_for(user)
        rows = Row.objects.visible_to(user).present().order_by("remote_id")
        days = dict(Expiry.objects.values_list("remote_id", "ends_on"))
        self.known: dict[Match, Known] = {}
        for row in rows:
            rule = Rule.of(row, id=row.remote_id)
            day = days.get(row.remote_id)
            known = Known(rule, row, day.isoformat() if day else "")
            self.known.setdefault(rule.match, known)
        kinds = [DeletionKind.RULE, DeletionKind.DOMAIN]
        pending = PendingDeletion.objects.open().filter(kind__in=kinds)
        self.frozen = set(pending.values_list("kind", "key"))

    def rows(self, lines: Sequence[Line]) -> list[RuleBulkRow]:
        """Return a row of a draft for each line, with what it would do."""
        self._refuse_twice(lines)
        after = {match: it.rule for match, it in self.known.items()}
        wanted = [it.rule for it in lines if it.rule and not (it.faults or it.left_out)]
        after |= {rule.match: rule for rule in wanted}
        account = self.account.with_rules(after.values())
        return [self._row(line, account, after) for line in lines]

    def removal(self, number: int, known: Known) -> RuleBulkRow:
        """Return the row that asks for the deletion of a rule."""
        row = RuleBulkRow(
            number=number,
            pattern=known.rule.pattern,
            domain=known.rule.domain,
            old=fields_of(known.row),
            verdict=Verdict.REMOVED,
        )
        if self._is_frozen(known.row):
            row.state, row.reason = State.LEFT_OUT, "It is to be deleted already."
        return row

    def _row(
        self, line: Line, account: Account, after: dict[Match, Rule]
    ) -> RuleBulkRow:
        row = RuleBulkRow(
            number=line.number,
            pattern=(line.rule.pattern if line.rule else line.pattern)[:320],
            domain=line.rule.domain if line.rule else "",
            wishes=line.wishes,
            verdict=Verdict.ERROR,
        )
        if line.rule is None or line.faults:
            return _wrong(row, line.faults)
        known = self.known.get(line.rule.match)
        row.new = _fields(line.rule)
        row.old = fields_of(known.row) if known else None
        if known is None:
            row.verdict = Verdict.NEW
        elif known.rule.deed != line.rule.deed or self._differs(known, line.wishes):
            row.verdict = Verdict.CHANGED
        else:
            row.verdict, row.state = Verdict.SAME, State.SAME
        if line.left_out:
            row.verdict, row.state = Verdict.SAME, State.LEFT_OUT
            row.reason = line.left_out
            return row
        if row.verdict == Verdict.SAME:
            return row
        if known and self._is_frozen(known.row):
            return _wrong(row, [("", FROZEN)])
        if ("domain", line.rule.domain) in self.frozen:
            return _wrong(row, [("", f"{line.rule.domain} is to be deleted.")])
        if known is None or known.rule.deed != line.rule.deed:
            others = account.exchanged(after.get(line.rule.match), None)
            self._check(row, line.rule, others)
        return row

    def _check(self, row: RuleBulkRow, rule: Rule, others: Account) -> None:
        """Say what the checks say of a rule among all that will be there.

        Whose mail it takes is asked without the other rows: those may be left out.
        """
        findings = [it for it in check_rule(others, rule) if it.check not in TAKING]
        if blocks := [it for it in findings if it.blocks]:
            _wrong(row, [("", _sentence(it)) for it in blocks])
            return
        known = self.known.get(rule.match)
        alone = check_rule(self.account, rule, replaced=known.rule if known else None)
        found = [*(it for it in alone if it.check in TAKING), *findings]
        row.warnings = [
            [it.tone, _sentence(it), it.confirm] for it in found if it.tone in SAID
        ]

    def _differs(self, known: Known, wishes: dict[str, Any]) -> bool:
        note, day = wishes.get("note"), wishes.get("ends_on")
        return bool((note and note != known.row.note) or (day and day != known.ends_on))

    def _is_frozen(self, row: Row) -> bool:
        here = {("rule", str(row.remote_id)), ("domain", row.domain)}
        return bool(here & self.frozen)

    def _refuse_twice(self, lines: Iterable[Line]) -> None:
        first: dict[Match, int] = {}
        for line in lines:
            if line.rule is None or line.faults:
                continue
            number = first.setdefault(line.rule.match, line.number)
            if number != line.number:
                sentence = f"Line {number} is about the same addresses."
                line.faults.append(("", sentence))


def _fields(rule: Rule) -> dict[str, Any]:
    return {
        "domain": rule.domain,
        "match_user": rule.match_user,
        "prefix": rule.prefix,
        "catchall": rule.catchall,
        "targets": list(rule.targets),
    }


def _wrong(row: RuleBulkRow, faults: Iterable[tuple[str, str]]) -> RuleBulkRow:
    row.verdict, row.state = Verdict.ERROR, State.LEFT_OUT
    row.faults = [list(it) for it in faults]
    row.reason = " ".join(sentence for _, sentence in row.faults)[:500]
    return row


def _sentence(finding: Finding) -> str:
    return f"{finding.title} {finding.text}".strip()
