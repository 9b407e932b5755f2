"""From the rules that are there to those of a snapshot."""

from __future__ import annotations

from purelymanage.accounts.models import User
from purelymanage.routing.bulk.judging import Judge, Line
from purelymanage.routing.model.plans import difference
from purelymanage.routing.model.rules import Kind, Rule
from purelymanage.routing.models import RuleBulkRow, Snapshot
from purelymanage.routing.snapshots.comparing import rules_of

CUSTOM = (
    "The portal offers no such combination, and nobody knows what it does. Create it "
    "at PurelyMail itself if you need it."
)


def rows_for(snapshot: Snapshot, user: User) -> list[RuleBulkRow]:
    """Return what to do, in an order that leaves no mail without its rule.

    What is missing is created first, what differs is replaced then, and last of all
    the deletion of what was not there is asked for.
    """
    judge = Judge(user)
    wanted = rules_of(snapshot.content.state_for(user))
    apart = difference([it.rule for it in judge.known.values()], wanted)
    changed = [new for _, new in apart.changed]
    lines = [
        _line(number, rule) for number, rule in enumerate([*apart.added, *changed], 1)
    ]
    rows = judge.rows(lines)
    removed = sorted(apart.removed, key=lambda it: (it.domain, it.pattern))
    rows += [
        judge.removal(number, judge.known[rule.match])
        for number, rule in enumerate(removed, len(lines) + 1)
    ]
    return rows


def _line(number: int, rule: Rule) -> Line:
    line = Line(number, rule.pattern, rule)
    if rule.kind == Kind.CUSTOM:
        line.faults.append(("", CUSTOM))
    return line
