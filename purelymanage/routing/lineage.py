"""Following a rule through its ids, as it gets another one whenever it is changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from purelymanage.routing.models import Rewrite, Rule

MOST_LINKS = 50


def successor(remote_id: int) -> Rule | None:
    """Return what became of a rule that the panel replaced, if it is there."""
    seen: set[int] = set()
    number = remote_id
    while number not in seen and len(seen) < MOST_LINKS:
        seen.add(number)
        later = Rewrite.objects.settled().filter(old_id=number)
        link = later.exclude(new_id=number).order_by("-settled_at").first()
        if link is None or link.new_id is None:
            break
        number = link.new_id
        rule = Rule.objects.present().filter(remote_id=number).first()
        if rule is not None:
            return rule
    return None


def former_names(rule: Rule) -> list[tuple[str, datetime]]:
    """Return what a rule matched before, and until when."""
    return [
        # The audit entry about it was written just after that moment.
        (rewrite.pattern, rewrite.settled_at + timedelta(seconds=10))
        for rewrite in _before(rule)
        if rewrite.settled_at and rewrite.pattern != rule.pattern
    ]


def _before(rule: Rule) -> Iterator[Rewrite]:
    seen: set[int] = set()
    number = rule.remote_id
    while number not in seen and len(seen) < MOST_LINKS:
        seen.add(number)
        earlier = Rewrite.objects.settled().filter(new_id=number)
        link = earlier.exclude(old_id=number).order_by("-settled_at").first()
        if link is None:
            return
        yield link
        number = link.old_id
