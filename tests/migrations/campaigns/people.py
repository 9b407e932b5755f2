"""Campaigns and the people of them, written straight into the tables."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.crypto import seal
from purelymanage.domains.models import Domain
from purelymanage.migrations.models import Campaign, Participant, Server, Submission

DOMAIN = "shop.example"
OLD = "old.example"
SECRET = "what-they-typed"

State = Submission.State


def add_campaign(owner: User, server: Server, **columns: Any) -> Campaign:
    """Write one that takes each mailbox to the same name at `DOMAIN`."""
    if server.pk is None:
        server.save()
    Domain.objects.get_or_create(name=DOMAIN)
    columns = {
        "name": "Move to the shop",
        "rule": Campaign.Rule.SAME,
        "destination_domain": DOMAIN,
        "domains": [DOMAIN],
        "signed_by": "The shop",
        "purpose": "We move.",
        "retention": "It is erased.",
        "contact": "help@shop.example",
        "ends_at": timezone.now() + timedelta(days=7),
        "token_hash": hashlib.sha256(os.urandom(8)).hexdigest(),
    } | columns
    return Campaign.objects.create(server=server, created_by=owner, **columns)


def add_people(
    campaign: Campaign, *addresses: str, **columns: Any
) -> list[Participant]:
    columns = {"is_listed": True} | columns
    return Participant.objects.bulk_create(
        [Participant(campaign=campaign, address=it, **columns) for it in addresses],
        batch_size=1_000,
    )


def hand_over(
    people: Iterable[Participant],
    *,
    state: Submission.State = State.RIGHT,
    password: str = SECRET,
    user: str = "",
    came_by: Submission.CameBy = Submission.CameBy.SHARED,
) -> list[Submission]:
    """Write the passwords of people as if the form had taken them."""
    now = timezone.now()
    made = []
    for person in people:
        row = Submission(participant=person, state=state, user=user, came_by=came_by)
        row.agreed_at = now
        if state in {State.WAITING, State.TRYING, State.RIGHT}:
            row.secret = seal(password, bound_to=row.secret_place)
        if state in {State.WAITING, State.TRYING}:
            row.due_at = now
        made.append(row)
    if state == State.RIGHT:
        keys = [it.pk for it in people]
        Participant.objects.filter(pk__in=keys).update(submitted_at=now)
    return Submission.objects.bulk_create(made, batch_size=1_000)


def numbered(count: int, domain: str = OLD) -> list[str]:
    return [f"user{number}@{domain}" for number in range(count)]
