"""What needs somebody: each with what it means and the next step beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils import timezone
from django.utils.dateformat import format as written

from purelymanage import operating
from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Right
from purelymanage.audit.models import ChainCheck, OutgoingMail
from purelymanage.broker import silent_clusters
from purelymanage.dashboard.credit import Credit
from purelymanage.dashboard.domains import Domains
from purelymanage.dashboard.facts import SYNC_LATE, WORK
from purelymanage.deletions.models import PendingDeletion
from purelymanage.domains.models import Freshness
from purelymanage.domains.presentation.rows import Row
from purelymanage.figures import thin
from purelymanage.migrations.campaigns.figures import with_ready
from purelymanage.migrations.models import Campaign, Run

# Beyond these a kind is told in one line.
EACH = 3


@dataclass(frozen=True)
class Finding:
    tone: str
    title: str
    text: str = ""
    url: str = ""
    action: str = ""


def findings(
    user: User,
    *,
    freshness: Freshness,
    credit: Credit | None,
    domains: Domains | None,
) -> list[Finding]:
    """Return what this person should look at, the worst first."""
    found = [*_workers(user), *_sync(freshness)]
    if domains:
        found += _domains(domains)
    if credit:
        found += _credit(credit)
    if user.may(Right.SEE_MIGRATIONS):
        found += [*_copies(user), *_campaigns(user)]
    if user.may(Right.SEE_DOMAINS):
        found += _deletions(user)
    if user.may(Right.SEE_AUDIT) and user.domain_scope is None:
        found += [*_chain(), *_mail()]
    return sorted(found, key=lambda finding: finding.tone != "broken")


def _workers(user: User) -> list[Finding]:
    silent = silent_clusters() if user.may(Right.MANAGE) else []
    if not silent:
        return []
    return [
        Finding(
            "broken",
            f"Nobody works on {' and '.join(WORK[name] for name in silent)}.",
            "What waits goes on as soon as the workers run again. Whoever runs this "
            f"panel starts them: {operating.start_workers()}",
            reverse("panel-health"),
            "See the health",
        )
    ]


def _chain() -> list[Finding]:
    check = ChainCheck.objects.latest_finished()
    if check is None or not check.problem:
        return []
    return [
        Finding(
            "broken",
            "The audit log is not as it was written.",
            f"{check.problem} Somebody has changed the database of this panel.",
            reverse("entry-list"),
            "Look at it",
        )
    ]


def _mail() -> list[Finding]:
    stuck = list(OutgoingMail.objects.stuck()[: EACH + 1])
    if not stuck:
        return []
    how_many = "Mails" if len(stuck) > 1 else f"The mail to {stuck[0].recipient}"
    return [
        Finding(
            "attention",
            f"{how_many} cannot be sent.",
            f"The mail server says: {stuck[0].last_error} The panel keeps trying for "
            "three days.",
        )
    ]


def _sync(freshness: Freshness) -> list[Finding]:
    if freshness.failed_at:
        seen = (
            f"You see the account as it was at {_moment(freshness.synced_at)}."
            if freshness.synced_at
            else "Nothing of the account can be shown yet."
        )
        return [
            Finding(
                "attention" if freshness.synced_at else "broken",
                "The account could not be read from PurelyMail.",
                f"{freshness.reason} {seen}",
            )
        ]
    if freshness.synced_at and timezone.now() - freshness.synced_at > SYNC_LATE:
        return [
            Finding(
                "attention",
                "The account has not been read for some hours.",
                f"You see it as it was at {_moment(freshness.synced_at)}.",
            )
        ]
    return []


def _domains(domains: Domains) -> list[Finding]:
    url = reverse("domains:domain-list")
    found = [
        Finding(
            "broken",
            f"Mail to {row.shown} {_whereabouts(row)}.",
            _since(row) or "PurelyMail does not find its MX record as it should be.",
            reverse("domains:domain-detail", args=[row.domain.name]),
            "See the records",
        )
        for row in domains.deaf
    ]
    if more := domains.deaf_count - len(domains.deaf):
        word = "domain" if more == 1 else "domains"
        title = f"Mail to {more} more {word} does not arrive."
        found.append(
            Finding("broken", title, url=f"{url}?state=broken", action="See all")
        )
    if len(domains.wrong) == 1:
        row = domains.wrong[0]
        found.append(
            Finding(
                _tone(row),
                f"The records of {row.shown} are not right: {row.verdict}.",
                f"Mail from it may be taken for spam. {_since(row)}".rstrip(),
                reverse("domains:domain-detail", args=[row.domain.name]),
                "See the records",
            )
        )
    elif domains.wrong:
        found.append(
            Finding(
                _tone(domains.wrong[0]),
                f"Mail from {domains.wrong_count} domains may be taken for spam.",
                "SPF, DKIM or DMARC is not right for "
                f"{_list([row.shown for row in domains.wrong], domains.wrong_count)}.",
                url,
                "See the domains",
            )
        )
    return found


def _whereabouts(row: Row) -> str:
    is_missing = row.health is None or row.cells[0].words == "missing"
    return "does not arrive" if is_missing else "goes elsewhere, all or some of it"


def _since(row: Row) -> str:
    """Say since when it is so, and whether people were told of it."""
    health = row.health
    if health is None or health.state_since is None:
        return ""
    since = f"{row.words} since {_moment(health.state_since)}."
    if health.turning_to == health.state:
        return f"{since} Seen once; people are told when a second look agrees."
    return since


def _tone(row: Row) -> str:
    return row.tone if row.health else row.domain.tone


def _credit(credit: Credit) -> list[Finding]:
    if credit.tone == "good":
        return []
    limit = credit.critical if credit.tone == "broken" else credit.attention
    below = f"{limit:.2f}".removesuffix(".00")
    text = "PurelyMail stops receiving and sending mail when it is used up."
    if credit.runs_out_at:
        day = written(timezone.localtime(credit.runs_out_at), "j F")
        text = f"At the present rate it lasts until {day}. {text}"
    return [
        Finding(
            credit.tone,
            f"The credit is down to ${credit.amount:.2f}, below ${below}.",
            text,
            "https://purelymail.com/manage/billing",
            "Add credit at PurelyMail",
        )
    ]


def _copies(user: User) -> list[Finding]:
    failed = (
        Run.objects.visible_to(user)
        .newest_of_jobs()
        .filter(state=Run.State.FAILED)
        .select_related("job")
        .order_by("-finished_at")
    )
    runs = list(failed[: EACH + 1])
    found = [
        Finding(
            "attention",
            f"The copy into {run.job.destination} did not get through.",
            run.failure,
            reverse("migrations:job-detail", args=[run.job_id]),
            "See the copy",
        )
        for run in runs[:EACH]
    ]
    if len(runs) > EACH:
        found.append(
            Finding(
                "attention",
                "More copies did not get through.",
                url=reverse("migrations:job-list"),
                action="See all",
            )
        )
    return found


def _campaigns(user: User) -> list[Finding]:
    """Return where passwords of owners wait to be used."""
    if not user.may(Right.MANAGE):
        return []
    found = []
    for campaign in with_ready(Campaign.objects.visible_to(user))[:EACH]:
        who, verb = ("people", "wait") if campaign.ready > 1 else ("person", "waits")
        title = f"{thin(campaign.ready)} {who} of {campaign} {verb} to be launched."
        url = reverse("migrations:campaign-detail", args=[campaign.pk])
        if campaign.is_open:
            text = f"It takes passwords until {_moment(campaign.ends_at)}."
            found.append(Finding("waiting", title, text, url, "Look at them"))
        else:
            text = f"Their passwords are erased at {_moment(campaign.erased_at)}."
            found.append(Finding("attention", title, text, url, "Look at them"))
    return found


def _deletions(user: User) -> list[Finding]:
    """Return what waits, as one line where it is more than a few."""
    url = reverse("deletions:deletion-list")
    mine = PendingDeletion.objects.visible_to(user).open().soonest_first()
    rows = list(mine.select_related("requested_by")[: 50 + 1])
    stopped = [row for row in rows if row.delete_after is None or row.state == "paused"]
    waiting = [row for row in rows if row not in stopped]
    found = []
    if len(stopped) == 1:
        title = f"The deletion of {stopped[0].name} waits for a decision."
        text = f"Asked for by {stopped[0].requested_by}."
        found.append(Finding("attention", title, text, url, "Look at deletions"))
    elif stopped:
        title = f"{len(stopped)} deletions wait for a decision."
        text = f"The first one is that of {stopped[0].name}."
        found.append(Finding("attention", title, text, url, "Look at deletions"))
    if waiting:
        first = waiting[0]
        assert first.delete_after is not None
        text = f"Asked for by {first.requested_by}. Any administrator can cancel."
        if len(waiting) > 1:
            text = f"{len(waiting) - 1} more wait. Any administrator can cancel."
        title = f"{first.title} will be deleted at {_moment(first.delete_after)}."
        found.append(Finding("waiting", title, text, url, "Look at deletions"))
    return found


def _moment(at: datetime) -> str:
    return written(timezone.localtime(at), "H:i, j F")


def _list(names: list[str], count: int) -> str:
    if count > len(names):
        return f"{', '.join(names)} and {count - len(names)} more"
    return f"{', '.join(names[:-1])} and {names[-1]}"
