"""A large account, written straight into the tables."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from psycopg.types.json import Jsonb

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Role
from purelymanage.audit import chain
from purelymanage.audit.events import Event
from purelymanage.audit.models import Agent, Entry, Notice
from purelymanage.crypto import seal
from purelymanage.domains.dns.health import judge
from purelymanage.domains.models import Domain, Health
from purelymanage.domains.operations.looks import STATES
from purelymanage.mailboxes.models import Bulk, BulkRow, Mailbox
from purelymanage.migrations.models import (
    Batch,
    Job,
    PasswordTable,
    Run,
    RunError,
    RunFolder,
    Server,
)
from purelymanage.routing.models import Rule, RuleBulk, RuleBulkRow
from purelymanage.sheets import keeping
from purelymanage.sheets.reading import read
from tests import account
from tests.account import PERSON_PK
from tests.benchmarks.load.size import Size
from tests.cast import PASSWORD
from tests.domains.rows import CODE, seen
from tests.migrations.batch_cases import add_runs

RUNNING, WAITING, FAILED = 8, 400, 100
AT_ONCE = 5_000
# What `COPY` writes, in this order.
COLUMNS = (*chain.CONTENT, "previous_hmac", "hmac")


def fill(size: Size) -> User:
    """Write whatever the table of routes asks for, and much more of it, for an owner."""
    owner = User.objects.create_user("olga@example.org", PASSWORD, role=Role.OWNER)
    account.fill_account()
    names = ["example.org", *(f"firm{n}.example" for n in range(size.domains - 4))]
    _add_domains(names)
    addresses = _add_mailboxes(names, size.mailboxes)
    _add_rules(names, addresses, size.rules)
    server = account.add_server(owner, pk=1)
    account.add_job(server, pk=1, rows=40)
    account.add_batches(server)
    _add_jobs(server, addresses, size.jobs - 1)
    people = min(2_000, size.mailboxes)
    account.add_campaign(server, pk=1, token="a-token", rows=people)
    for address in addresses[3:203]:
        account.add_deletion(owner, address)
    account.add_addition(owner, pk=1)
    account.add_person()
    account.add_belongings(owner)
    account.add_bulks(owner)
    with transaction.atomic():
        account.add_rule_bulks(owner)
    account.add_invitation(owner, pk=1)
    account.add_hand_over(pk=1)
    account.add_app_password(owner, pk=1)
    account.add_rename(owner, pk=1)
    _add_bulk_rows(addresses, min(5_000, size.mailboxes))
    _let_keys_follow()
    add_entries([owner, *_helpers()], addresses, size.entries)
    newest = Entry.objects.order_by("-sequence")[:200]
    Notice.objects.bulk_create(Notice(person=owner, entry=it) for it in newest)
    _add_tables(addresses, size.rows)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return owner


def _helpers() -> list[User]:
    return list(User.objects.filter(pk=PERSON_PK))


def _add_domains(names: list[str]) -> None:
    chance = random.Random(1)  # noqa: S311  # the same rows each time
    now = timezone.now()
    Domain.objects.bulk_create(
        (
            Domain(name=name, passes_mx=True, passes_spf=True, passes_dkim=True)
            for name in names
        ),
        ignore_conflicts=True,
        batch_size=AT_ONCE,
    )
    wrong: list[dict[str, list[str]]] = [{}, {}, {}, {"dmarc": []}, {"mx": []}]
    found = []
    for domain in Domain.objects.all():
        look = seen(domain.name, **chance.choice(wrong))
        judged = judge(look, ownership_code=CODE)
        state = STATES[judged.overall]
        found.append(
            Health(
                domain=domain,
                observation=look.as_json(),
                cells={it.value: at.name.lower() for it, at in judged.cells.items()},
                state=state,
                announced_state=state,
                finding_count=len(judged.to_set),
                looked_at=now,
                state_since=now,
                next_look_at=now + timedelta(hours=1),
            )
        )
    Health.objects.bulk_create(found, batch_size=AT_ONCE)


def _add_mailboxes(names: list[str], count: int) -> list[str]:
    """Write a tenth of them into the first domain; return the addresses of all."""
    chance = random.Random(2)  # noqa: S311
    now = timezone.now()
    made = []
    for number in range(3, count):
        domain = names[0] if number % 10 == 0 else names[number % len(names)]
        made.append(
            Mailbox(
                address=f"box{number}@{domain}",
                domain=domain,
                two_factor=chance.random() < 0.4,
                reset_allowed=True,
                search_indexing=True,
                spam_filtering=True,
                recovery_methods=[
                    {"type": "email", "target": f"{number}@home.example"}
                ],
                details_at=now,
                first_seen_at=now - timedelta(minutes=number),
                tags=chance.sample(["sales", "support", "board", "left"], 1),
            )
        )
    Mailbox.objects.bulk_create(made, batch_size=AT_ONCE)
    return list(Mailbox.objects.order_by("pk").values_list("address", flat=True))


def _add_rules(names: list[str], addresses: list[str], count: int) -> None:
    """Write a tenth of them for the first domain: exact ones, prefixes and catch-alls."""
    rules = []
    for number in range(3, count):
        domain = names[0] if number % 10 == 0 else names[number % len(names)]
        rules.append(
            Rule(
                remote_id=number + 1,
                domain=domain,
                match_user=f"alias{number}",
                prefix=number % 7 == 0,
                catchall=False,
                targets=[addresses[number % len(addresses)]],
            )
        )
    Rule.objects.bulk_create(rules, batch_size=AT_ONCE)


def _add_jobs(server: Server, addresses: list[str], count: int) -> None:
    """Write most into one batch, each with a plan and a copy in one of all states."""
    now = timezone.now()
    batch = Batch.objects.get(pk=1)
    jobs = []
    for number in range(count):
        address = addresses[number % len(addresses)]
        job = Job(
            server=server,
            # The rest was added one by one.
            batch=batch if number % 20 else None,
            number=number + 2 if number % 20 else None,
            source_user=f"old{number}@old.example",
            destination=address,
            destination_domain=address.rpartition("@")[2],
            created_by=server.created_by,
            login=Job.Login.RIGHT,
            secret_expires_at=now + timedelta(days=30),
        )
        job.source_secret = seal("a-password", bound_to=job.secret_place)
        jobs.append(job)
    # Above the numbers that the table of routes names.
    jobs = Job.objects.bulk_create(_numbered(jobs, 2), batch_size=1_000)
    figures: dict[str, Any] = {
        "messages": 900,
        "bytes": 10**8,
        "phase": "done",
        "folder_count": 5,
    }
    plan = {"dry_run": True, "is_newest": False, "verdict": "complete"}
    samples = [[it, it * 10, it * 50_000] for it in range(180)]
    with transaction.atomic():
        _let_keys_follow()
        add_runs(jobs, Run.State.DONE, started_at=now, **figures, **plan)
        left = jobs
        for state, number, columns in (
            (Run.State.QUEUED, WAITING, {}),
            (Run.State.FAILED, FAILED, {"failure": "Nobody is there."}),
            (
                Run.State.RUNNING,
                RUNNING,
                figures
                | {"phase": "copying", "bytes_to_copy": 10**9, "samples": samples},
            ),
        ):
            some = left[: min(number, len(left) // 2)]
            left = left[len(some) :]
            runs = add_runs(some, state, **columns)
        RunFolder.objects.bulk_create(
            RunFolder(run=run, position=it, source=f"Folder {it}", messages=20)
            for run in runs
            for it in range(40)
        )
        done = figures | {"verdict": "complete", "samples": samples[:60]}
        add_runs(left, Run.State.DONE, started_at=now, **done)
    # Nobody runs them, and nobody is to take them for abandoned.
    Run.objects.running().update(lease_until=now + timedelta(days=1), started_at=now)


def _numbered(rows: list[Job], first: int) -> list[Job]:
    for number, row in enumerate(rows, start=first):
        row.pk = number
    return rows


def _add_bulk_rows(addresses: list[str], count: int) -> None:
    bulk, rules = Bulk.objects.get(pk=1), RuleBulk.objects.get(pk=1)
    BulkRow.objects.bulk_create(
        BulkRow(
            bulk=bulk,
            number=number + 2,
            address=addresses[number],
            state=BulkRow.State.DONE,
        )
        for number in range(count)
    )
    RuleBulkRow.objects.bulk_create(
        RuleBulkRow(
            bulk=rules,
            number=number + 2,
            pattern=f"abuse{number}@example.org",
            verdict=RuleBulkRow.Verdict.NEW,
            state=RuleBulkRow.State.DONE,
        )
        for number in range(count // 2)
    )


def _add_tables(addresses: list[str], count: int) -> None:
    """Let the drafts be of tables with many rows, and the report tell of as many."""
    batch = Batch.objects.get(pk=1)
    jobs = Job.objects.filter(batch=batch).order_by("number")[:count]
    table = PasswordTable.objects.get(pk=1)
    table.keys = list(batch.jobs.values_list("pk", flat=True))
    pairs = [f"{job.source_user},a-password" for job in jobs]
    table.sheet = _sealed("old mailbox,new password", pairs, table.sheet_place)
    table.save()

    draft = Batch.objects.get(pk=2)
    pairs = [f"{address},a-password" for address in addresses[:count]]
    draft.sheet = _sealed("from,password", pairs, draft.sheet_place)
    draft.save()

    bulk = Bulk.objects.get(pk=2)
    new = [f"new{number}@example.org" for number in range(count)]
    bulk.sheet = _sealed("address", new, bulk.sheet_place)
    bulk.save()

    run = Run.objects.newest_of_jobs().filter(job__batch=batch).order_by("pk")[0]
    RunError.objects.bulk_create(
        RunError(run=run, folder="Sent", uid=uid, size=5_000, reason="Too large.")
        for uid in range(1, count + 1)
    )


def _sealed(header: str, rows: list[str], place: str) -> str:
    sheet = read("\n".join([header, *rows]).encode())
    return seal(keeping.as_text(sheet), bound_to=place)


def add_entries(people: list[User], addresses: list[str], count: int) -> None:
    """Add to the chain as `log` does, but by `COPY`: a year of entries, all sealed."""
    sequence, previous = Entry.objects.head()
    with connection.cursor() as cursor:
        columns = ", ".join(f'"{name}"' for name in COLUMNS)
        statement = f"COPY audit_entry ({columns}) FROM STDIN"
        with transaction.atomic(), cursor.copy(statement) as copy:
            for row in _entries(people, addresses, count, sequence, previous):
                copy.write_row(row)


def _entries(
    people: list[User], addresses: list[str], count: int, sequence: int, previous: str
) -> Iterator[tuple[Any, ...]]:
    chance = random.Random(3)  # noqa: S311
    plain: dict[str, str] = {}
    kinds: list[tuple[Event, dict[str, str]]] = [
        (Event.MAILBOX_APPEARED, plain),
        (Event.SIGNED_IN, plain),
        (Event.MAILBOX_CHANGED, {"changes": "search indexing on, spam filtering off"}),
    ]
    actors: list[tuple[int | None, str, str]] = [
        (None, str(Agent.PANEL), ""),
        (None, str(Agent.OUTSIDE), ""),
        *((it.pk, it.email, str(it.role)) for it in people),
    ]
    step = timedelta(days=365) / max(count, 1)
    moment: datetime = timezone.now() - step * count
    for place in range(sequence + 1, sequence + count + 1):
        moment += step
        event, details = chance.choice(kinds)
        actor, name, role = chance.choice(actors)
        target = addresses[int(chance.random() * len(addresses))]
        content: list[Any] = [
            place,
            chain.microseconds(moment),
            event.value,
            actor,
            name,
            role,
            target,
            target.rpartition("@")[2],
            details,
            {},
            None,
            "",
        ]
        before, previous = previous, chain.seal(tuple(content), previous)
        content[1] = moment
        content[8], content[9] = Jsonb(details), Jsonb({})
        yield (*content, before, previous)


def _let_keys_follow() -> None:
    """Go on counting after the keys that were given."""
    for model in (Job, Run, Batch):
        table = json.dumps(model._meta.db_table)
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'),"  # noqa: S608
                f" GREATEST((SELECT max(id) FROM {table}), 1))"
            )
