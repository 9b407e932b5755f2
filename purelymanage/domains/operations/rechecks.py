"""Asking PurelyMail to look at the records again, where it disagrees with us."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.log import Actor
from purelymanage.domains.models import Domain, Health
from purelymanage.domains.operations.looks import dispute
from purelymanage.domains.operations.mirroring import read_domains
from purelymanage.domains.recheck import disputes, next_recheck
from purelymanage.errors import Refused
from purelymanage.purelymail.client import PurelymailClient, get_client
from purelymanage.purelymail.errors import PurelymailError, Rejected

A_ROUND = 20  # the rest comes a minute later
PATIENCE = 30.0


def recheck_disputed() -> int:
    """Ask PurelyMail to look again where its verdict is old; return for how many.

    One list afterwards tells the new verdicts of all of them.
    """
    now = timezone.now()
    due = Health.objects.to_recheck(now).select_related("domain")[:A_ROUND]
    mine = [row for row in due if _claim_recheck(row, now)]
    if not mine:
        return 0
    client = get_client(patience=PATIENCE)
    asked = [row.domain.name for row in mine if _ask(client, row.domain.name)]
    if asked:
        read_domains(client)
        settle_disputes(asked)
    return len(asked)


def _claim_recheck(row: Health, now: datetime) -> bool:
    """Take a row's turn by setting its next one, unless the dispute is over."""
    if not disputes(row.domain, row.sees):
        settle_disputes([row.domain.name])
        return False
    next_at = next_recheck(
        now, rechecks=row.rechecks + 1, disputed_since=row.disputed_since or now
    )
    same = Health.objects.filter(pk=row.pk, next_recheck_at=row.next_recheck_at)
    return bool(
        same.update(
            next_recheck_at=next_at, rechecks=row.rechecks + 1, rechecked_at=now
        )
    )


def _ask(client: PurelymailClient, name: str) -> bool:
    try:
        client.update_domain_settings(name, recheck_dns=True)
    except Rejected as exc:
        if exc.is_about_token:
            raise
        return False  # most likely gone; the next sync tells
    return True


def recheck(*, domain: Domain, actor: Actor) -> list[str]:
    """Ask PurelyMail to look at one domain now; return what is still disputed.

    Raise `Refused` where it was asked within the last minute or cannot be reached.
    """
    _claim_by_hand(domain)
    try:
        client = get_client()
        client.update_domain_settings(domain.name, recheck_dns=True)
        read_domains(client)
    except PurelymailError as exc:
        raise Refused(f"PurelyMail was not asked to look again. {exc.message}") from exc
    _note_recheck(domain, actor)
    settle_disputes([domain.name])
    domain.refresh_from_db()
    return list(Health.objects.get(domain=domain).disputed)


def _claim_by_hand(domain: Domain) -> None:
    now = timezone.now()
    rows = Health.objects.filter(domain=domain)
    if not rows.exists():
        raise Refused(f"{domain} has not been looked at yet. Try again in a minute.")
    if not rows.exclude(rechecked_at__gt=now - Health.RECHECK_PAUSE).update(
        rechecked_at=now
    ):
        raise Refused(
            f"PurelyMail has just been asked to look at {domain} again. Wait a minute."
        )


@transaction.atomic(durable=True)
def _note_recheck(domain: Domain, actor: Actor) -> None:
    log.record(
        Event.DOMAIN_RECHECK_REQUESTED,
        actor=actor,
        target=domain.name,
        domain=domain.name,
    )


@transaction.atomic(durable=True)
def settle_disputes(names: list[str]) -> None:
    """Compare PurelyMail's verdicts, as they are now, with what we saw."""
    now = timezone.now()
    rows = (
        Health.objects.filter(domain__name__in=names)
        .select_related("domain")
        .select_for_update(of=("self",))  # a look may be settling them as well
        .order_by("pk")
    )
    for row in rows:
        dispute(row, now)
        fields = ["disputed", "disputed_since", "next_recheck_at", "rechecks"]
        row.save(update_fields=fields)
