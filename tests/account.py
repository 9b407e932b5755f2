"""Rows of a small account, for tests that look at pages."""

from __future__ import annotations

import json
import random
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from django.utils import timezone

from purelymanage.accounts.models import Invitation, PersonSession, User
from purelymanage.accounts.models.invitations import hash_token
from purelymanage.accounts.permissions import Role
from purelymanage.accounts.security.sealing import place_of
from purelymanage.crypto import seal
from purelymanage.deletions.models import PendingDeletion
from purelymanage.domains.models import Addition, Domain, SyncRun
from purelymanage.mailboxes.models import (
    AppPassword,
    Bulk,
    BulkRow,
    Change,
    HandOver,
    Mailbox,
)
from purelymanage.migrations.campaigns import links, texts
from purelymanage.migrations.forms.campaigns import WRITTEN
from purelymanage.migrations.models import (
    Batch,
    Campaign,
    Job,
    JobAction,
    Participant,
    PasswordTable,
    Run,
    RunFolder,
    Server,
)
from purelymanage.routing.models import Rule, RuleBulk, RuleBulkRow, Snapshot
from purelymanage.routing.snapshots.taking import take
from purelymanage.sheets import keeping
from purelymanage.sheets.reading import read
from tests.passkeys import Passkey

# Higher than any number that the people of the cast get by themselves.
PERSON_PK = SESSION_PK = PASSKEY_PK = 900_001


def add_one_of_each(owner: User) -> None:
    """Add what the table of routes asks for."""
    fill_account()
    server = add_server(owner, pk=1)
    add_job(server, pk=1)
    add_batches(server)
    add_campaign(server, pk=1, token="a-token")
    add_deletion(owner, pk=1)
    add_addition(owner, pk=1)
    add_person()
    add_belongings(owner)
    add_bulks(owner)
    add_rule_bulks(owner)
    add_invitation(owner, pk=1)
    add_hand_over(pk=1)
    add_app_password(owner, pk=1)
    add_rename(owner, pk=1)


def add_person(*, pk: int = PERSON_PK, email: str = "pat@example.org") -> User:
    return User.objects.create_user(email, None, pk=pk, role=Role.HELPDESK)


def add_belongings(user: User) -> None:
    """Give a person a session, and second factors whose secrets nobody knows."""
    PersonSession.objects.create(pk=SESSION_PK, user=user, session_key="a" * 32)
    options = {"publicKey": {"user": {"id": "AA"}, "challenge": "AAAA"}}
    Authenticator.objects.create(
        pk=PASSKEY_PK,
        user=user,
        type=Authenticator.Type.WEBAUTHN,
        data={"name": "Passkey", "credential": Passkey().create(options)},
    )
    place = place_of(user.pk)
    for kind, data in (
        (Authenticator.Type.TOTP, {"secret": seal("A" * 32, bound_to=place)}),
        (
            Authenticator.Type.RECOVERY_CODES,
            {"seed": seal("00" * 40, bound_to=place), "used_mask": 0},
        ),
    ):
        Authenticator.objects.create(user=user, type=kind, data=data)


def add_invitation(owner: User, *, pk: int | None = None, **fields: Any) -> Invitation:
    now = timezone.now()
    fields = {
        "email": "nina@example.org",
        "role": Role.ADMIN,
        "token_hash": "0" * 64,
        "expires_at": now + timedelta(days=7),
    } | fields
    return Invitation.objects.create(pk=pk, invited_by=owner, **fields)


def fill_account(*, rows: int = 3, domain: str = "example.org") -> None:
    """Write a domain with `rows` mailboxes and rules, and `rows` domains beside it."""
    SyncRun.objects.create(
        state=SyncRun.State.DONE, finished_at=timezone.now() - timedelta(minutes=4)
    )
    names = [domain, *(f"d{number}.{domain}" for number in range(rows))]
    chance = random.Random(domain)  # noqa: S311  # the same rows each time
    Domain.objects.bulk_create(
        Domain(name=name, passes_mx=True, passes_spf=chance.random() > 0.1)
        for name in names
    )
    Mailbox.objects.bulk_create(
        Mailbox(
            address=f"box{number}@{domain}",
            domain=domain,
            two_factor=number % 2 == 0,
            recovery_methods=[{"type": "email", "target": f"{number}@home.example"}],
        )
        for number in range(rows)
    )
    Rule.objects.bulk_create(
        Rule(
            remote_id=number + 1
            if domain == "example.org"
            else chance.randrange(2**40),
            domain=domain,
            match_user=f"alias{number}",
            prefix=False,
            catchall=False,
            targets=[f"box{number}@{domain}"],
        )
        for number in range(rows)
    )


def add_deletion(
    owner: User,
    address: str = "box2@example.org",
    *,
    pk: int | None = None,
    **fields: Any,
) -> PendingDeletion:
    """Write a mailbox's deletion that waits."""
    now = timezone.now()
    fields = {
        "waits_since": now,
        "delete_after": now + timedelta(hours=24),
        "impact": {
            "lines": [
                {"icon": "mailbox", "what": "all its mail", "names": []},
            ],
            "facts": [],
        },
    } | fields
    return PendingDeletion.objects.create(
        pk=pk,
        kind="mailbox",
        key=address,
        label=address,
        domain=address.rpartition("@")[2],
        requested_by=owner,
        **fields,
    )


def add_hand_over(
    address: str = "box1@example.org",
    *,
    token: str = "a-token",
    password: str = "not-a-password",
    pk: int | None = None,
    **fields: Any,
) -> HandOver:
    """Write a link that shows a password."""
    hand_over = HandOver(
        pk=pk,
        mailbox=Mailbox.objects.get(address=address),
        token_hash=hash_token(token),
        **fields,
    )
    hand_over.token = seal(token, bound_to=hand_over.token_place)
    hand_over.secret = seal(password, bound_to=hand_over.secret_place)
    hand_over.save()
    return hand_over


def add_app_password(
    owner: User | None,
    address: str = "box1@example.org",
    *,
    pk: int | None = None,
    **fields: Any,
) -> AppPassword:
    """Write an app password that the panel has made for somebody."""
    fields = {"name": "Phone"} | fields
    row = AppPassword(pk=pk, address=address, made_by=owner, **fields)
    row.secret = seal("not-an-app-password", bound_to=row.secret_place)
    row.save()
    return row


def add_rename(
    owner: User, address: str = "box1@example.org", *, pk: int | None = None
) -> Change:
    """Write that a mailbox was called otherwise once."""
    return Change.objects.create(
        pk=pk,
        mailbox=Mailbox.objects.get(address=address),
        kind=Change.Kind.RENAME,
        wanted={"old": f"former.{address}", "new": address, "with_rule": True},
        state=Change.State.DONE,
        requested_by=owner,
        settled_at=timezone.now(),
    )


def add_addition(
    owner: User, name: str = "new.example.org", *, pk: int | None = None, **fields: Any
) -> Addition:
    """Write that a domain waits to be added."""
    now = timezone.now()
    fields = {"next_look_at": now, "expires_at": now + timedelta(days=7)} | fields
    return Addition.objects.create(pk=pk, name=name, requested_by=owner, **fields)


def add_server(owner: User, *, pk: int | None = None, **fields: Any) -> Server:
    fields = {"name": "Old provider", "host": "127.0.0.1", "port": 9} | fields
    return Server.objects.create(pk=pk, created_by=owner, **fields)


def add_job(
    server: Server, *, number: int = 0, pk: int | None = None, rows: int = 3
) -> Job:
    """Write a job into a mailbox of example.org, with a finished plan of `rows` folders."""
    job = Job.objects.create(
        pk=pk,
        server=server,
        source_user=f"box{number}@old.example",
        destination=f"box{number}@example.org",
        destination_domain="example.org",
        created_by=server.created_by,
    )
    run = Run.objects.create(
        pk=pk,
        job=job,
        pair=job.pair,
        dry_run=True,
        engine="pipeline",
        state=Run.State.DONE,
        verdict=Run.Verdict.COMPLETE,
        attempt=1,
        started_at=timezone.now(),
        finished_at=timezone.now(),
        folder_count=rows,
    )
    RunFolder.objects.bulk_create(
        RunFolder(run=run, position=position, source=f"Folder {position}", messages=10)
        for position in range(rows)
    )
    return job


def add_batches(server: Server) -> None:
    """Write a batch into example.org, and a file nobody looked at yet."""
    owner = server.created_by
    columns = {"server": server, "created_by": owner}
    batch = Batch.objects.create(
        pk=1,
        name="First wave",
        domains=["example.org"],
        confirmed_at=timezone.now(),
        **columns,
    )
    Job.objects.filter(pk=1).update(batch=batch, number=1)
    JobAction.objects.create(
        batch=batch,
        kind=JobAction.Kind.STOP,
        keys=[1],
        total=1,
        done=1,
        refused=1,
        refusals=[[1, "box0@example.org", "It neither waits nor runs."]],
        requested_by=owner,
        finished_at=timezone.now(),
    )
    table = PasswordTable(pk=1, batch=batch, keys=[1], created_by=owner)
    sheet = read(b"old mailbox,new password\nbox0@old.example,secret")
    table.columns = {"0": "address", "1": "password"}
    table.sheet = seal(json.dumps(asdict(sheet)), bound_to=table.sheet_place)
    table.save()
    draft = Batch(pk=2, name="Second wave", **columns)
    draft.wishes = {"columns": {"0": "address", "1": "password"}}
    sheet = read(b"from,password\nzoe@old.example,secret")
    draft.sheet = seal(json.dumps(asdict(sheet)), bound_to=draft.sheet_place)
    draft.save()


def add_campaign(
    server: Server,
    *,
    pk: int | None = None,
    rows: int = 3,
    token: str = "",
    **fields: Any,
) -> Campaign:
    """Write an open campaign into example.org, with `rows` people on its list."""
    usual = texts.of("en")
    written = {name: getattr(usual, name) for name in WRITTEN}
    fields = (
        written
        | {
            "name": "Autumn move",
            "rule": Campaign.Rule.SAME,
            "destination_domain": "example.org",
            "domains": ["example.org"],
            "signed_by": "Example Ltd",
            "contact": "help@example.org",
            "ends_at": timezone.now() + timedelta(days=7),
        }
        | fields
    )
    campaign = Campaign(pk=pk, server=server, created_by=server.created_by, **fields)
    links.mint(campaign)
    if token:
        campaign.token_hash = hash_token(token)
    campaign.save()
    Participant.objects.bulk_create(
        Participant(
            pk=pk and pk + number,
            campaign=campaign,
            address=f"box{number}@old.example",
            name=f"Owner {number}",
            is_listed=True,
            added_by=server.created_by,
        )
        for number in range(rows)
    )
    return campaign


def add_bulks(owner: User) -> None:
    """Write a finished bulk change of example.org, and a file nobody looked at yet."""
    columns = {"requested_by": owner, "started_at": timezone.now()}
    bulk = Bulk.objects.create(
        pk=1,
        kind=Bulk.Kind.RESET,
        state=Bulk.State.DONE,
        domains=["example.org"],
        **columns,
    )
    BulkRow.objects.create(
        bulk=bulk, number=1, address="box1@example.org", state=BulkRow.State.DONE
    )
    draft = Bulk(pk=2, kind=Bulk.Kind.CREATE, requested_by=owner)
    sheet = read(b"address\nzoe@example.org")
    draft.sheet = seal(json.dumps(asdict(sheet)), bound_to=draft.sheet_place)
    draft.save()


def add_rule_bulks(owner: User) -> None:
    """Write a snapshot, a finished bulk change of rules, and a file nobody looked at."""
    take(Snapshot.Occasion.ASKED, actor=owner)
    Snapshot.objects.update(id=1)
    bulk = RuleBulk.objects.create(
        pk=1,
        kind=RuleBulk.Kind.TEMPLATE,
        state=RuleBulk.State.DONE,
        domains=["example.org"],
        requested_by=owner,
        started_at=timezone.now(),
    )
    RuleBulkRow.objects.create(
        bulk=bulk,
        number=1,
        pattern="abuse@example.org",
        verdict=RuleBulkRow.Verdict.NEW,
        state=RuleBulkRow.State.DONE,
    )
    RuleBulk.objects.create(
        pk=2,
        kind=RuleBulk.Kind.IMPORT,
        requested_by=owner,
        sheet=keeping.as_stored(
            read(b"address,targets\nzoe@example.org,box1@example.org")
        ),
    )
