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
    found = list(
        Domain.objects.present().values_list(
            "name", "is_shared", "symbolic_subaddressing"
        )
    )
    own = {name: on for name, is_shared, on in found if not is_shared}
    return own, {name for name, is_shared, _ in found if is_shared} | SHARED_DOMAINS


def account_for(user: User) -> Account:
    """Read rules, mailboxes and domains in three queries.

    Of the domains that a limited person may not see only the names are read, so that
    an answer can say where it ends.
    """
    own, shared = domains()
    mine = Rule.objects.visible_to(user).present().order_by("remote_id")
    # Whole rows of thousands would take longer than all that is said of them.
    rows = mine.values_list(
        "remote_id",
        "domain",
        "match_user",
        "prefix",
        "catchall",
        "targets",
        named=True,
    )
    mailboxes = Mailbox.objects.visible_to(user).present()
    return Account(
        rules=(rules.Rule.of(it, id=it.remote_id) for it in rows),
        mailboxes=mailboxes.values_list("address", flat=True),
        domains={name: on for name, on in own.items() if user.covers(name)},
        shared=shared,
        veiled=[name for name in own if not user.covers(name)],
    )
