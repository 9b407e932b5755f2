"""How far the panel is set up, seen where each step leaves its traces.

What a page says is asked for anew each time: a token that was right and is refused
since is no step that is done, and one that proved right by itself needs no click.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.urls import reverse

from purelymanage.accounts.models import User
from purelymanage.accounts.operations.organisation import TEST_MAIL
from purelymanage.accounts.permissions import Right
from purelymanage.audit.models import OutgoingMail
from purelymanage.broker import silent_clusters
from purelymanage.dashboard import checked
from purelymanage.dashboard.credit import newest_amount
from purelymanage.dashboard.facts import WORK
from purelymanage.dashboard.findings import Finding
from purelymanage.dashboard.models import Setup, TokenCheck
from purelymanage.domains.models import Domain, Freshness, SyncRun
from purelymanage.http import mark_of
from purelymanage.mailboxes.models import Mailbox
from purelymanage.purelymail.errors import (
    TOKEN_REFUSED,
    NoToken,
    Unavailable,
    Unreadable,
    explained,
)
from purelymanage.routing.models import Rule


class Name(StrEnum):
    TOKEN = "token"  # noqa: S105  # of a step
    IMPORT = "import"
    FACTOR = "factor"
    MAIL = "mail"


TITLES = {
    Name.TOKEN: "API token",
    Name.IMPORT: "First import",
    Name.FACTOR: "Second factor",
    Name.MAIL: "Mail",
}
# The lists that an import brings, in the order in which they come.
LISTS = {"domains": "Domains", "mailboxes": "Mailboxes", "rules": "Routing rules"}


class State(StrEnum):
    DONE = "done"
    OPEN = "open"
    BUSY = "busy"
    STUCK = "stuck"
    PUT_OFF = "put off"


TONES = {
    State.DONE: ("good", "Done"),
    State.OPEN: ("waiting", "To do"),
    State.BUSY: ("running", "Under way"),
    State.STUCK: ("broken", "Needs you"),
    State.PUT_OFF: ("off", "Later"),
}


@dataclass(frozen=True)
class Step:
    name: Name
    state: State
    finding: Finding | None = None
    technical: str = ""

    @property
    def title(self) -> str:
        return TITLES[self.name]

    @property
    def tone(self) -> str:
        return TONES[self.state][0]

    @property
    def words(self) -> str:
        return TONES[self.state][1]

    @property
    def template(self) -> str:
        return f"dashboard/setup/_{self.name}.html"

    @property
    def is_settled(self) -> bool:
        return self.state in {State.DONE, State.PUT_OFF}

    @property
    def can_wait(self) -> bool:
        """Whether one may go on without it: without the token there is nothing."""
        return self.name is not Name.TOKEN and not self.is_settled


@dataclass(frozen=True)
class Arrival:
    """A list of the account: how many there are, or whether it is still awaited."""

    name: str
    count: int | None
    is_next: bool = False


def is_asked(user: User) -> bool:
    """Tell whether somebody is the one to set the panel up, and it is still to do."""
    if not user.may(Right.MANAGE_PEOPLE):
        return False
    return not Setup.objects.filter(finished_at__isnull=False).exists()


def progress(user: User, *, has_factor: bool) -> dict[str, Any]:
    """Return what the page shows, in a constant number of queries."""
    setup = Setup.objects.present()
    freshness = SyncRun.objects.freshness()
    check = TokenCheck.objects.newest()
    mail = newest_test_mail(user)
    silent = silent_clusters()
    steps = [
        _token(check, freshness),
        _import(freshness),
        Step(Name.FACTOR, State.DONE if has_factor else State.OPEN),
        _mail(mail, setup),
    ]
    steps = [_as_put_off(step, setup) for step in steps]
    arrivals = _arrivals(user, freshness)
    is_ready = all(step.is_settled for step in steps)
    return {
        "steps": steps,
        "current": next((it for it in steps if not it.is_settled), None),
        "done_count": sum(it.state is State.DONE for it in steps),
        "is_busy": any(it.state is State.BUSY for it in steps),
        "is_ready": is_ready,
        "is_finished": setup.finished_at is not None,
        "put_off": [it for it in steps if it.state is State.PUT_OFF],
        "freshness": freshness,
        "credit": newest_amount(),
        "checked_at": _checked_at(check, freshness),
        "token_is_right": steps[0].state is State.DONE,
        "token_is_unknown": _is_about_the_way(steps[0].finding),
        "is_stuck": any(it.state is State.STUCK for it in steps),
        "arrivals": arrivals,
        "mail": mail,
        "mail_stays_here": "smtp" not in settings.EMAIL_BACKEND,
        "mail_findings": list(checked.findings(checked.mail_settings())),
        "mail_arrived_at": setup.mail_arrived_at,
        "silent": _silence(silent),
        "mark": mark_of(steps, arrivals, silent, mail and mail.state, is_ready),
    }


def newest_test_mail(user: User) -> OutgoingMail | None:
    own = OutgoingMail.objects.filter(recipient=user.email, subject=TEST_MAIL)
    return own.order_by("-pk").first()


def _token(check: TokenCheck | None, freshness: Freshness) -> Step:
    """Believe the newest that was seen: a check, or a sync that worked or was refused."""
    if check is not None and check.is_busy:
        return Step(Name.TOKEN, State.BUSY)
    if not settings.PURELYMAIL_API_TOKEN:
        return Step(Name.TOKEN, State.STUCK, Finding("broken", *explained(NoToken())))
    good_at, bad_at, finding = freshness.synced_at, None, None
    if freshness.failed_at and freshness.reason.startswith(TOKEN_REFUSED):
        bad_at = freshness.failed_at
        finding = Finding("broken", freshness.reason)
    if check is not None and check.is_stale:
        bad_at = check.asked_at
        finding = Finding(
            "attention",
            "Nobody has carried out the check.",
            "See whether the workers run, and ask once more.",
        )
    elif check is not None and check.settled_at:
        if check.is_right:
            good_at = _later(good_at, check.settled_at)
        elif _later(bad_at, check.settled_at) == check.settled_at:
            bad_at = check.settled_at
            finding = Finding("broken", check.sentence, check.next_step)
    if bad_at and _later(good_at, bad_at) == bad_at:
        return Step(Name.TOKEN, State.STUCK, finding)
    return Step(Name.TOKEN, State.DONE if good_at else State.OPEN)


def _is_about_the_way(finding: Finding | None) -> bool:
    """Whether PurelyMail was not reached, so that nothing is known of the token."""
    said = {Unavailable.message, Unreadable.message}
    return finding is not None and finding.title in said


def _checked_at(check: TokenCheck | None, freshness: Freshness) -> datetime | None:
    settled = check.settled_at if check is not None and check.is_right else None
    return _later(freshness.synced_at, settled)


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(filter(None, (one, other)), default=None)


def _import(freshness: Freshness) -> Step:
    if freshness.synced_at:
        return Step(Name.IMPORT, State.DONE)
    if freshness.running:
        return Step(Name.IMPORT, State.BUSY)
    if freshness.failed_at:
        words = "The account could not be read from PurelyMail."
        return Step(
            Name.IMPORT, State.STUCK, Finding("broken", words, freshness.reason)
        )
    return Step(Name.IMPORT, State.OPEN)


def _arrivals(user: User, freshness: Freshness) -> list[Arrival]:
    """Return what is there of each list, or has been read so far."""
    if freshness.synced_at:
        counts = {
            "domains": Domain.objects.visible_to(user).present().count(),
            "mailboxes": Mailbox.objects.visible_to(user).present().count(),
            "rules": Rule.objects.visible_to(user).present().count(),
        }
        return [Arrival(LISTS[name], counts[name]) for name in LISTS]
    if not freshness.running:
        return []
    run = SyncRun.objects.filter(state=SyncRun.State.RUNNING).first()
    arrived = (run and run.arrived) or {}
    missing = [name for name in LISTS if name not in arrived]
    return [
        Arrival(title, arrived.get(name), is_next=bool(run) and name in missing[:1])
        for name, title in LISTS.items()
    ]


def _mail(mail: OutgoingMail | None, setup: Setup) -> Step:
    if mail is not None and (mail.state == OutgoingMail.State.FAILED or _fails(mail)):
        found = checked.not_sent(mail.last_error)
        finding = Finding(found.tone, found.sentence, found.fix)
        return Step(Name.MAIL, State.STUCK, finding, mail.last_error)
    if mail is not None and mail.settled_at is None:
        return Step(Name.MAIL, State.BUSY)
    return Step(Name.MAIL, State.DONE if setup.mail_arrived_at else State.OPEN)


def _fails(mail: OutgoingMail) -> bool:
    """Whether it waits for another try, the last one having failed."""
    return mail.state == OutgoingMail.State.WAITING and bool(mail.last_error)


def _as_put_off(step: Step, setup: Setup) -> Step:
    waits = step.name in setup.put_off and step.state in {State.OPEN, State.STUCK}
    # Who has finished is shown what is still to be done.
    if not waits or setup.finished_at:
        return step
    return Step(step.name, State.PUT_OFF, step.finding, step.technical)


def _silence(silent: list[str]) -> Finding | None:
    if "default" not in silent:
        return None
    sentence = f"Nobody works on {WORK['default']}."
    return Finding(
        "broken",
        sentence,
        checked.next_step(sentence),
        reverse("panel-health"),
        "See the health",
    )
