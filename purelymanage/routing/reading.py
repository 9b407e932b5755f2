"""The account of the mirror, as far as somebody may see it, for the pure model."""

from __future__ import annotations

from purelymanage.accounts.models import User
from purelymanage.domains.models import Domain
from purelymanage.mailboxes.models import Mailbox
from purelymanage.routing.model import rules
from purelymanage.routing.model.accounts import SHARED_DOMAINS, Account
from purelymanage.routing.models import Rule


def domains() -> tuple[dict[str, bool], set[str]]:
    """Return the own ones, each with its subaddressing, and those that are shared."""
    found = Domain.objects.present()
    own = {it.name: it.symbolic_subaddressing for it in found if not it.is_shared}
    return own, {it.name for it in found if it.is_shared} | SHARED_DOMAINS


def account_for(user: User) -> Account:
    """Read rules, mailboxes and domains in three queries.

    Of the domains that a limited person may not see only the names are read, so that
    an answer can say where it ends.
    """
    own, shared = domains()
    mine = Rule.objects.visible_to(user).present().order_by("remote_id")
    mailboxes = Mailbox.objects.visible_to(user).present()
    return Account(
        rules=(rules.Rule.of(it, id=it.remote_id) for it in mine),
        mailboxes=mailboxes.values_list("address", flat=True),
        domains={name: on for name, on in own.items() if user.covers(name)},
        shared=shared,
        veiled=[name for name in own if not user.covers(name)],
    )
