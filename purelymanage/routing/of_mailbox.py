"""The rules that touch a mailbox, as a section of its page."""

from __future__ import annotations

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Right
from purelymanage.mailboxes.models import Mailbox
from purelymanage.mailboxes.related import Section
from purelymanage.routing.hints import strongest
from purelymanage.routing.models import Rule

MOST_SHOWN = 20


def rules_of(mailbox: Mailbox, user: User) -> Section | None:
    """Return which rules deliver to it, and which one takes its mail before it."""
    if not user.may(Right.SEE_ROUTING):
        return None
    address = mailbox.address
    mine = Rule.objects.visible_to(user).present().with_deletion()
    naming = mine.search(address).strongest_first()
    # The search finds more, such as longer addresses that end alike.
    delivering = [
        rule for rule in naming if address in (it.lower() for it in rule.targets)
    ]
    taker = strongest(address)
    if taker and (taker in delivering or not user.covers(taker.domain)):
        taker = None
    shown = delivering[:MOST_SHOWN]
    return Section(
        "routing/_rules_of_mailbox.html",
        {
            "address": address,
            "is_gone": mailbox.gone_at is not None,
            "taker": taker,
            "rules": shown,
            "more": len(delivering) - len(shown),
            "mailboxes": _mailboxes_of([*shown, *([taker] if taker else [])], user),
        },
    )


def _mailboxes_of(rules: list[Rule], user: User) -> set[str]:
    """Return which targets of these rules are mailboxes, in one query."""
    targets = {target for rule in rules for target in rule.targets}
    mine = Mailbox.objects.visible_to(user).present()
    return set(mine.filter(address__in=targets).values_list("address", flat=True))
