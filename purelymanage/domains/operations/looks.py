"""Looking at domains: claimed by a lease, looked at together, settled at once."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.models import Agent, Entry
from purelymanage.domains import alerts, history
from purelymanage.domains.dns.health import judge
from purelymanage.domains.dns.looking import look
from purelymanage.domains.dns.observations import Observation
from purelymanage.domains.dns.servers import resolvers
from purelymanage.domains.dns.verdicts import Health as Judgement
from purelymanage.domains.dns.verdicts import Overall, Severity
from purelymanage.domains.models import Change, Domain, Health, OwnershipCode
from purelymanage.domains.recheck import disputes
from purelymanage.domains.schedule import next_look

# So many that even if every one is silent, a worker is done before its lease ends.
BATCH = 300
GOES_ON_FOR = 60.0  # seconds, while more are due
SETTLED_TOGETHER = 100
STATES = {
    Overall.BROKEN: Health.State.BROKEN,
    Overall.ATTENTION: Health.State.ATTENTION,
    Overall.UNKNOWN: Health.State.UNKNOWN,
    Overall.RIGHT: Health.State.GOOD,
}
SETTLED = [
    "observation",
    "known",
    "cells",
    "state",
    "finding_count",
    "looked_at",
    "next_look_at",
    "leased_until",
    "state_since",
    "red_looks",
    "red_since",
    "blind_since",
    "announced_state",
    "announced_at",
    "turning_to",
    "turning_since",
    "sees",
    "disputed",
    "disputed_since",
    "next_recheck_at",
    "rechecks",
]


def look_at_due(*, limit: int = BATCH) -> int:
    """Look at the domains whose time has come; return how many."""
    servers = resolvers()  # first, as without any nothing needs to be claimed
    _begin_watching()
    began, done = time.monotonic(), 0
    while leased := _claim_due(limit):
        # Who asked wants to know it now; the rest may be answered from memory.
        for anew in (True, False):
            names = [it.domain.name for it in leased if it.wants_news == anew]
            if names:
                seen = look(names, anew=anew, servers=servers)
                settle_looks(seen, leased=leased)
        done += len(leased)
        if len(leased) < limit or time.monotonic() - began > GOES_ON_FOR:
            break
    return done


def look_now(*, domains: Iterable[Domain]) -> dict[str, Judgement]:
    """Look at these domains at once, whatever their schedule says."""
    _begin_watching()
    seen = look([domain.name for domain in domains], anew=True)
    return settle_looks(seen)


def _begin_watching() -> None:
    """Give each domain that has none a row, due at once."""
    new = Domain.objects.present().filter(health=None, is_shared=False)
    rows = [Health(domain=domain, next_look_at=timezone.now()) for domain in new]
    if rows:
        Health.objects.bulk_create(rows, ignore_conflicts=True)


@transaction.atomic(durable=True)
def _claim_due(limit: int) -> list[Health]:
    """Take domains for one look. A lease that ends lets others take over."""
    now = timezone.now()
    due = Health.objects.due(now).select_related("domain")
    rows = list(due.select_for_update(skip_locked=True, of=("self",))[:limit])
    free = Q(leased_until=None) | Q(leased_until__lte=now)
    until = now + Health.LEASE
    Health.objects.filter(free, pk__in=[row.pk for row in rows]).update(
        leased_until=until
    )
    for row in rows:
        row.leased_until = until
    return rows


def settle_looks(
    seen: dict[str, Observation], *, leased: list[Health] | None = None
) -> dict[str, Judgement]:
    """Store what was seen, with what changed and what people are to be told."""
    code = OwnershipCode.objects.current()
    judged = {name: judge(found, ownership_code=code) for name, found in seen.items()}
    leases = {it.domain.name: it.leased_until for it in leased or []}
    names = sorted(seen)
    for at in range(0, len(names), SETTLED_TOGETHER):
        part = names[at : at + SETTLED_TOGETHER]
        looks = [_Look(seen[name], judged[name]) for name in part]
        _settle(looks, leases if leased is not None else None)
    return judged


@dataclass(frozen=True, slots=True)
class _Look:
    seen: Observation
    judged: Judgement


@transaction.atomic(durable=True)
def _settle(looks: list[_Look], leases: dict[str, datetime | None] | None) -> None:
    """Compare each look with the row as it is now, and only then write it."""
    by_name = {it.seen.domain: it for it in looks}
    rows = (
        Health.objects.filter(domain__name__in=by_name)
        .select_related("domain")
        .select_for_update(of=("self",))
        .order_by("pk")
    )
    now = timezone.now()
    settled: list[Health] = []
    changes: list[Change] = []
    entries: list[Entry] = []
    for row in rows:
        if leases is not None and row.leased_until != leases.get(row.domain.name):
            continue  # it took too long, and somebody else has looked since
        it = by_name[row.domain.name]
        changes += _differences(row, it, now)
        before = row.announced_state
        entries += _take(row, it, now)
        if row.announced_state != before and before in alerts.TELLING:
            changes.append(_turn(row, before, now))
        settled.append(row)
    # They exist and are locked, so each is in conflict: one statement updates all.
    Health.objects.bulk_create(
        settled, update_conflicts=True, unique_fields=["pk"], update_fields=SETTLED
    )
    Change.objects.bulk_create(changes)
    log.record_many(entries)


def _differences(row: Health, it: _Look, now: datetime) -> list[Change]:
    found = history.differences(row.known, history.known_records(it.seen))
    return [
        Change(
            domain=row.domain,
            seen_at=now,
            kind=Change.Kind.RECORD,
            subject=each.subject,
            before=each.before,
            after=each.after,
            sentence=each.sentence,
        )
        for each in found
    ]


def _turn(row: Health, before: str, now: datetime) -> Change:
    was, is_now = (
        str(Health.State(state).label) for state in (before, row.announced_state)
    )
    return Change(
        domain=row.domain,
        seen_at=now,
        kind=Change.Kind.STATE,
        subject="State",
        before=[was],
        after=[is_now],
        sentence=f"{is_now}, after it was: {was.lower()}",
    )


def _take(row: Health, it: _Look, now: datetime) -> list[Entry]:
    """Write a look into the row and return what is to be told of it."""
    state = STATES[it.judged.overall]
    cells = {kind.value: found.name.lower() for kind, found in it.judged.cells.items()}
    is_red = state != Health.State.GOOD
    # Somebody is at it: what is red now may be right in a moment.
    is_same = is_red and row.red_since is not None and row.cells == cells
    row.red_looks = row.red_looks + 1 if is_same else int(is_red)
    row.red_since = (row.red_since if is_same else now) if is_red else None
    if state != row.state:
        row.state, row.state_since = state, now

    entries = _blindness(row, it, now)
    told, is_news = alerts.after_look(
        alerts.Announced(row.announced_state, row.turning_to, row.turning_since),
        state,
        now,
    )
    if told.state != row.announced_state:
        row.announced_state, row.announced_at = told.state, now
    row.turning_to, row.turning_since = told.turning_to, told.turning_since
    if is_news:
        entries.append(_news(row.domain, state, it.judged))

    row.cells = cells
    row.known = {**row.known, **history.known_records(it.seen)}
    row.observation = it.seen.as_json()
    row.finding_count = sum(
        found.severity is not Severity.INFO for found in it.judged.findings
    ) + len(it.judged.to_set)
    row.sees = it.judged.as_purelymail_sees
    dispute(row, now)
    row.looked_at, row.leased_until = now, None
    row.next_look_at = next_look(
        now,
        name=row.domain.name,
        is_green=not is_red,
        red_looks=row.red_looks,
        red_since=row.red_since,
        touched_at=row.touched_at,
        turning_since=row.turning_since,
    )
    return entries


def dispute(row: Health, now: datetime) -> None:
    """Note where PurelyMail's stored verdict is another one than ours."""
    disputed = disputes(row.domain, row.sees)
    if not disputed:
        row.disputed_since = row.next_recheck_at = None
        row.rechecks = 0
    elif set(disputed) - set(row.disputed):
        row.disputed_since = row.next_recheck_at = now
        row.rechecks = 0
    row.disputed = disputed


def _blindness(row: Health, it: _Look, now: datetime) -> list[Entry]:
    """Tell once that a domain could not be looked up for a day."""
    if row.state != Health.State.UNKNOWN:
        row.blind_since = None
        return []
    row.blind_since = row.blind_since or now
    told_at = row.blind_since + Health.BLIND_AFTER
    if now < told_at or (row.looked_at and row.looked_at >= told_at):
        return []
    reasons = [str(each.failure) for each in it.seen.answers.values() if each.failure]
    reason = f"its name servers {reasons[0]}" if reasons else "nothing was answered"
    return [_entry(Event.DOMAIN_UNSEEN, row.domain, f"{reason}.")]


def _news(domain: Domain, state: str, judged: Judgement) -> Entry:
    event = alerts.EVENTS[state]
    if event is Event.DOMAIN_RECOVERED:
        return _entry(event, domain)
    wrong = [
        f"{it.sentence.removesuffix('.')} ({it.kind.label})." for it in judged.to_set
    ] or [
        found.what for found in judged.findings if found.severity is not Severity.INFO
    ]
    return _entry(event, domain, " ".join(wrong) or "see its page.")


def _entry(event: Event, domain: Domain, *reason: str) -> Entry:
    details = dict(zip(("reason",), reason, strict=False))
    return log.note(
        event,
        actor=Agent.PANEL,
        target=domain.name,
        domain=domain.name,
        diff=None,
        **details,
    )
