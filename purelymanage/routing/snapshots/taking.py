"""What is kept of an account, how often, and for how long."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.domains.models import Domain, SyncRun
from purelymanage.mailboxes.models import Mailbox
from purelymanage.routing.models import Rule, Snapshot, SnapshotContent

DOMAIN_FLAGS = ("is_shared", "allow_account_reset", "symbolic_subaddressing")
MAILBOX_FLAGS = ("two_factor", "reset_allowed", "search_indexing", "spam_filtering")
RULE_FIELDS = ("domain", "match_user", "prefix", "catchall", "targets")


def take(occasion: Snapshot.Occasion, *, actor: User | None = None) -> Snapshot | None:
    """Keep the account as the mirror has it, or nothing before the first sync.

    Call it in the transaction of what it is taken for.
    """
    synced_at = last_sync()
    if synced_at is None:
        return None
    is_daily = occasion == Snapshot.Occasion.DAILY
    return Snapshot.objects.create(
        content=_content(present_state()),
        occasion=occasion,
        day=timezone.localdate() if is_daily else None,
        requested_by=actor,
        synced_at=synced_at,
    )


@transaction.atomic(durable=True)
def keep_daily() -> bool:
    """Take the snapshot of this day where it is missing, and drop old ones.

    Says nothing in the audit log: nothing of the account has changed.
    """
    if Snapshot.objects.of_day(timezone.localdate()).exists():
        return False
    try:
        with transaction.atomic():
            is_taken = take(Snapshot.Occasion.DAILY) is not None
    except IntegrityError:  # another worker was quicker
        return False
    drop_old()
    return is_taken


def drop_old() -> int:
    """Keep of what is older than 90 days the first snapshot of each month."""
    old = Snapshot.objects.older_than(timezone.now() - Snapshot.DAILY_FOR)
    months = set()
    unwanted = []
    for pk, taken_at in old.values_list("pk", "taken_at"):
        local = timezone.localtime(taken_at)
        month = (local.year, local.month)
        if month in months:
            unwanted.append(pk)
        months.add(month)
    Snapshot.objects.filter(pk__in=unwanted).delete()
    _drop_unused()
    return len(unwanted)


def present_state() -> dict[str, Any]:
    """Return domains, mailboxes and rules as the mirror has them, without ids.

    A rule that was made anew as it was is no change.
    """
    domains = Domain.objects.present().values_list("name", *DOMAIN_FLAGS)
    mailboxes = Mailbox.objects.present().values_list("address", *MAILBOX_FLAGS)
    rules = Rule.objects.present().order_by().values_list(*RULE_FIELDS)
    # Written out, as thousands of dictionaries by `zip` take three times as long.
    return {
        "domains": {
            name: {
                "is_shared": is_shared,
                "allow_account_reset": allows_reset,
                "symbolic_subaddressing": is_symbolic,
            }
            for name, is_shared, allows_reset, is_symbolic in domains.order_by("name")
        },
        "mailboxes": {
            address: {
                "two_factor": two_factor,
                "reset_allowed": reset_allowed,
                "search_indexing": is_indexed,
                "spam_filtering": is_filtered,
            }
            for address, two_factor, reset_allowed, is_indexed, is_filtered in (
                mailboxes.order_by("address")
            )
        },
        "rules": [
            {
                "domain": domain,
                "match_user": match_user,
                "prefix": prefix,
                "catchall": catchall,
                "targets": targets,
            }
            for domain, match_user, prefix, catchall, targets in rules
        ],
    }


def last_sync() -> Any:
    done = SyncRun.objects.filter(state=SyncRun.State.DONE)
    return done.order_by("-finished_at").values_list("finished_at", flat=True).first()


def _content(state: dict[str, Any]) -> SnapshotContent:
    """Return the row with this state, locked, so that nobody drops it meanwhile."""
    # The same account has the same digest, in whatever order it was read.
    state["rules"].sort(key=lambda it: [str(it[name]) for name in RULE_FIELDS])
    written = json.dumps(state, sort_keys=True, ensure_ascii=False)
    digest = hashlib.sha256(written.encode()).hexdigest()
    row = SnapshotContent(digest=digest, state=state, counts=_counts(state))
    locked = SnapshotContent.objects.select_for_update().filter(digest=digest)
    while True:
        SnapshotContent.objects.bulk_create([row], ignore_conflicts=True)
        if (found := locked.first()) is not None:
            return found


def _counts(state: dict[str, Any]) -> dict[str, dict[str, Any]]:
    def nothing(*, domain: bool) -> dict[str, Any]:
        return {"domain": domain, "mailboxes": 0, "rules": 0}

    counts = {name: nothing(domain=True) for name in state["domains"]}
    for address in state["mailboxes"]:
        name = address.rpartition("@")[2]
        counts.setdefault(name, nothing(domain=False))["mailboxes"] += 1
    for rule in state["rules"]:
        counts.setdefault(rule["domain"], nothing(domain=False))["rules"] += 1
    return counts


def _drop_unused() -> None:
    unused = SnapshotContent.objects.filter(snapshots=None)
    free = SnapshotContent.objects.select_for_update(skip_locked=True, of=("self",))
    numbers = list(free.filter(pk__in=unused).values_list("pk", flat=True))
    # Asked again: somebody may have just used one before it was locked.
    unused.filter(pk__in=numbers).delete()
