"""The account of the mirror, as far as somebody may see it, for the pure model."""

from __future__ import annotations

from purelymanage.accounts.models import User
from purelymanage.domains.models import Domain
from purelymanage.mailboxes.models import Mailbox
from purelymanage.routing.model import rules
from purelymanage.routing.model.accounts import SHARED_DOMAINS, Account
from purelymanage.routing.models import Rule


def account_for(user: User) -> Account:
    """Read rules, mailboxes and domains in three queries.

    Of the domains that a limited person may not see only the names are read, so that
    an answer can say where it ends.
    """
    domains = Domain.objects.present()
    shared = {it.name for it in domains if it.is_shared} | SHARED_DOMAINS
    own = {it.name: it.symbolic_subaddressing for it in domains if not it.is_shared}
    mine = Rule.objects.visible_to(user).present().order_by("remote_id")
    mailboxes = Mailbox.objects.visible_to(user).present()
    return Account(
        rules=(rules.Rule.of(it, id=it.remote_id) for it in mine),
        mailboxes=mailboxes.values_list("address", flat=True),
        domains={name: on for name, on in own.items() if user.covers(name)},
        shared=shared,
        veiled=[name for name in own if not user.covers(name)],
    )
