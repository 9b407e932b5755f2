"""Trying passwords of owners: at once while they wait, or later by a worker."""

from __future__ import annotations

import logging
import re
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.utils import timezone

from purelymanage import crypto
from purelymanage.imap.errors import ImapError, LoginRefused
from purelymanage.imap.login import check_login
from purelymanage.migrations.campaigns import limits
from purelymanage.migrations.campaigns.keeping import keep_with_others, let_go
from purelymanage.migrations.campaigns.limits import Way
from purelymanage.migrations.models import Participant, Server, SignIn
from purelymanage.migrations.operations import kept_submissions, launching, submissions
from purelymanage.migrations.operations.kept_submissions import Claim, Verdict
from purelymanage.migrations.operations.sign_ins import (
    Later,
    TooOften,
    forget_sign_ins,
    reserve_sign_in,
)
from purelymanage.migrations.operations.submissions import Offer, Over
from purelymanage.migrations.presets import BY_KEY

logger = logging.getLogger(__name__)

# Seconds that somebody waits for the answer of the server. With those for a place there
# (see the gate) and what is around it they stay below fifteen.
PATIENCE = 7.0
ASKED_EVERY = 0.25
# Seconds that a worker waits for one answer, and after which other tasks have a turn.
PATIENCE_OF_WORKER = 15.0
SLICE = 20.0
AGAIN_AFTER = timedelta(seconds=30)

# Who refuse the usual password of an account, and say so in many words or none.
TAKE_APP_PASSWORDS = {"gmail", "yahoo", "icloud", "fastmail", "yandex"}
ASKS_FOR_APP_PASSWORD = re.compile(
    r"app(lication)?[- ]?(specific)?[- ]?password", re.IGNORECASE
)


class Answer(StrEnum):
    """What the owner is told."""

    RIGHT = "right"
    REFUSED = "refused"
    APP_PASSWORD = "app_password"  # noqa: S105
    NO_PASSWORDS = "no_passwords"
    KEPT = "kept"
    TOO_OFTEN = "too_often"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Handed:
    """What came of an offer; after too many of them, when the next may come."""

    answer: Answer
    free_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """How a server answered; the words are for administrators."""

    answer: Answer
    words: str = ""

    @property
    def verdict(self) -> Verdict:
        match self.answer:
            case Answer.RIGHT:
                return Verdict(SignIn.Outcome.RIGHT)
            case Answer.KEPT:
                return Verdict(SignIn.Outcome.UNANSWERED, self.words)
        return Verdict(SignIn.Outcome.REFUSED, self.words)


def hand_over(offer: Offer, *, until: float | None) -> Handed:
    """Try a password and keep it if it is right, or if it could not be tried.

    Nothing is stored before the server has answered, unless it cannot be asked; and no
    connection to the database is held while it is waited for. A free place at the
    server is waited for `until` then, by the monotonic clock; with None it is too late
    for one, and nothing is locked to look for it.
    """
    try:
        if until is None:
            return _kept(keep_with_others(offer))
        match place := _find_place(offer, until):
            case TooOften(until=free_at):
                return Handed(Answer.TOO_OFTEN, free_at)
            case Later(is_full=True):
                return _kept(keep_with_others(offer))
            case Later(when=when):
                left = submissions.keep_untried(offers=[offer], due_at=when)
                return _kept(_without_room(left))
        let_go()
        server = offer.campaign.server
        found = try_password(server, offer.login, offer.password, PATIENCE)
        return _settle(offer, place, found)
    except Over:
        return Handed(Answer.OVER)


def try_password(server: Server, user: str, password: str, patience: float) -> Finding:
    """See whether a server lets somebody in. Touches no database."""
    try:
        check_login(server.account(user, password), timeout=patience)
    except LoginRefused as exc:
        return _refusal(server, exc)
    except ImapError as exc:
        return Finding(Answer.KEPT, exc.message)
    except Exception as exc:
        # Only the kind: the text might quote anything.
        logger.error("Sign-in at server %s: %s", server.pk, type(exc).__name__)
        return Finding(Answer.KEPT, "The panel made a mistake. Its log says more.")
    return Finding(Answer.RIGHT)


def try_kept(server_id: int) -> str:
    """Try what is kept and due at a server for a while."""
    until = time.monotonic() + SLICE
    under_way: dict[Future[Finding], Claim] = {}
    tried = 0
    with ThreadPoolExecutor(limits.AT_ONCE) as pool:
        while True:
            free = limits.AT_ONCE - len(under_way)
            if free and time.monotonic() < until:
                claims = kept_submissions.claim_kept(server_id=server_id, most=free)
                for claim in claims:
                    under_way[pool.submit(_try_claim, claim)] = claim
            if not under_way:
                if time.monotonic() < until and _is_full_for_a_moment(server_id):
                    time.sleep(ASKED_EVERY)
                    continue
                break
            done, _ = wait(under_way, return_when=FIRST_COMPLETED)
            for future in done:
                claim = under_way.pop(future)
                _settle_claim(claim, future.result())
                tried += 1
    if time.monotonic() >= until and kept_submissions.has_due(server_id):
        submissions.hand_on(server_id)
    return f"{tried} tried"


def _is_full_for_a_moment(server_id: int) -> bool:
    """Whether owners who wait for their answers have the places of a server.

    They are done within seconds, unlike copies, which may take days.
    """
    trying = SignIn.objects.under_way(timezone.now()).filter(server=server_id)
    of_owners = trying.exclude(address_key__startswith=f"{Way.WORKER}")
    return of_owners.exists() and kept_submissions.has_due(server_id)


def sweep() -> str:
    """Go on where workers died or pauses ended, and end what came too late."""
    servers = kept_submissions.due_servers()
    for server_id in servers:
        submissions.hand_on(server_id)
    late = kept_submissions.give_up_late_ones()
    renewed = launching.take_in_renewed()
    forgotten = forget_sign_ins()
    return (
        f"{len(servers)} servers, {late} too late, {renewed} renewed, "
        f"{forgotten} forgotten"
    )


def _find_place(offer: Offer, until: float) -> SignIn | TooOften | Later:
    while True:
        place = reserve_sign_in(campaign=offer.campaign, keys=offer.keys)
        if not _is_full(place):
            return place
        while not limits.free_places(offer.campaign.server, timezone.now()):
            if time.monotonic() >= until:
                return place
            let_go()
            time.sleep(ASKED_EVERY)


def _is_full(place: SignIn | TooOften | Later) -> bool:
    return isinstance(place, Later) and place.is_full


def _kept(free_at: datetime | None) -> Handed:
    """Answer for what is not tried now, kept or not."""
    if free_at is None:
        return Handed(Answer.KEPT)
    return Handed(Answer.TOO_OFTEN, free_at)


def _without_room(left: list[Offer]) -> datetime | None:
    return timezone.now() + limits.QUARTER if left else None


def _settle(offer: Offer, sign_in: SignIn, found: Finding) -> Handed:
    match found.answer:
        case Answer.RIGHT:
            _join(submissions.store_right(offer=offer, sign_in=sign_in))
        case Answer.KEPT:
            due_at: datetime = timezone.now() + AGAIN_AFTER
            left = submissions.keep_untried(
                offers=[offer], due_at=due_at, sign_in=sign_in, words=found.words
            )
            return _kept(_without_room(left))
        case _:
            submissions.note_refused(offer=offer, sign_in=sign_in)
    return Handed(found.answer)


def _try_claim(claim: Claim) -> Finding:
    submission = claim.submission
    try:
        password = submissions.open_secret(submission)
    except crypto.Unreadable:
        return Finding(Answer.REFUSED, "It cannot be opened any more.")
    except crypto.MissingKey:
        # It waits for whoever gives this process the key, and holds up no others.
        return Finding(Answer.KEPT, "Its key is not among the encryption keys.")
    server = submission.participant.campaign.server
    return try_password(server, submission.source_user, password, PATIENCE_OF_WORKER)


def _settle_claim(claim: Claim, found: Finding) -> None:
    _join(kept_submissions.settle_kept(claim=claim, verdict=found.verdict))


def _join(participant: Participant | None) -> None:
    """Let somebody who comes after the launch join the others."""
    if participant is not None and participant.campaign.batch_id is not None:
        launching.join_late(participant=participant)


def _refusal(server: Server, problem: LoginRefused) -> Finding:
    """Tell a wrong password from one that the provider never takes."""
    if problem.technical == "LOGINDISABLED":
        # It would refuse everybody: somebody has to change how it is reached.
        return Finding(Answer.KEPT, problem.message)
    preset = BY_KEY.get(server.preset)
    words = f"{problem.message} {problem.technical}".strip()
    if preset is not None and not preset.takes_passwords:
        return Finding(Answer.NO_PASSWORDS, words)
    wants = server.preset in TAKE_APP_PASSWORDS
    if wants or ASKS_FOR_APP_PASSWORD.search(problem.technical):
        return Finding(Answer.APP_PASSWORD, words)
    return Finding(Answer.REFUSED, words)
