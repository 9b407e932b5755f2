"""The part of the mirror that holds the domains."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from django.utils import timezone
from django_q.tasks import async_task

from purelymanage.audit.events import Event
from purelymanage.deletions.models import Kind
from purelymanage.deletions.pending import is_being_deleted
from purelymanage.domains.models import Change, Domain, Health
from purelymanage.domains.sync import Part, Reading, expect_some
from purelymanage.purelymail import types

FLAGS = {
    "is_shared": "shared with PurelyMail",
    "allow_account_reset": "account recovery",
    "symbolic_subaddressing": "subaddressing",
}
RECORDS = {
    "passes_mx": "MX",
    "passes_spf": "SPF",
    "passes_dkim": "DKIM",
    "passes_dmarc": "DMARC",
}
COLUMNS = [*FLAGS, *RECORDS]


def apply(found: list[types.Domain], reading: Reading) -> str:
    known = {domain.name: domain for domain in Domain.objects.all()}
    listed = {it.name: it for it in found}
    new, changed = [], []
    verdicts: list[Change] = []

    for name, it in listed.items():
        domain = known.get(name)
        if domain is None:
            new.append(Domain(**asdict(it)))
            reading.report(Event.DOMAIN_APPEARED, name, domain=name)
        elif domain.gone_at is None:
            if any(
                getattr(domain, column) != getattr(it, column) for column in COLUMNS
            ):
                changed.append(domain)
                verdicts += _changed_verdicts(domain, it)
                _report_changes(domain, it, reading)
        elif domain.gone_at < reading.began_at:
            domain.gone_at = None
            changed.append(domain)
            reading.report(Event.DOMAIN_APPEARED, name, domain=name)

    for domain in changed:
        for column in COLUMNS:
            setattr(domain, column, getattr(listed[domain.name], column))
    is_ours = is_being_deleted(Kind.DOMAIN)
    for name, domain in known.items():
        is_old = domain.first_seen_at < reading.began_at
        if domain.gone_at is None and is_old and name not in listed:
            domain.gone_at = timezone.now()
            changed.append(domain)
            if not is_ours(name, name):
                reading.report(Event.DOMAIN_VANISHED, name, domain=name)

    Domain.objects.bulk_create(new, ignore_conflicts=True)
    if new:
        async_task("purelymanage.domains.tasks.look_at_due")
    Domain.objects.bulk_update(changed, [*COLUMNS, "gone_at"], batch_size=1_000)
    if verdicts:
        Change.objects.bulk_create(verdicts)
        # Whether we see it as well is known by our own look, which costs no call.
        Health.objects.filter(domain__in={it.domain_id for it in verdicts}).update(
            next_look_at=timezone.now()
        )
    return f"{len(listed)} domain{'' if len(listed) == 1 else 's'}"


def _changed_verdicts(domain: Domain, now: types.Domain) -> Iterator[Change]:
    for column, name in RECORDS.items():
        passes = getattr(now, column)
        if getattr(domain, column) != passes:
            before, after = ("fails", "passes") if passes else ("passes", "fails")
            yield Change(
                domain=domain,
                seen_at=timezone.now(),
                kind=Change.Kind.WITNESS,
                subject=name,
                before=[before],
                after=[after],
                sentence=f"PurelyMail says that {name} {after}",
            )


def _report_changes(domain: Domain, now: types.Domain, reading: Reading) -> None:
    def differing(names: dict[str, str]) -> list[tuple[str, bool]]:
        return [
            (name, getattr(now, column))
            for column, name in names.items()
            if getattr(domain, column) != getattr(now, column)
        ]

    if flags := differing(FLAGS):
        changes = ", ".join(
            f"{name} {'on' if is_on else 'off'}" for name, is_on in flags
        )
        reading.report(
            Event.DOMAIN_CHANGED, domain.name, domain=domain.name, changes=changes
        )
    if records := differing(RECORDS):
        changes = ", ".join(
            f"{name} {'is right' if passes else 'is not right any more'}"
            for name, passes in records
        )
        reading.report(
            Event.DOMAIN_HEALTH_CHANGED,
            domain.name,
            domain=domain.name,
            changes=changes,
        )


PART = Part(
    name="domains",
    fetch=lambda client: client.list_domains(),
    check=lambda found: expect_some(found, Domain.objects.present(), "domains"),
    apply=apply,
)
