"""How often passwords may be tried by the public form, and how many at once.

The form lets strangers make the panel sign in at somebody's mail server. Without limits
it would be a machine for guessing passwords, and the provider would shut us out. They
are counted in the database, as several processes and hosts answer the form.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from django.conf import settings
from django.db.models import Count, F, Q, QuerySet

from purelymanage.migrations.models import Campaign, Job, Run, Server, SignIn

QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

# Of one mailbox. Whoever mistypes a password five times needs a pause; nobody who owns
# it needs more than fifteen a day.
PER_ADDRESS = 5  # in a quarter of an hour
PER_ADDRESS_A_DAY = 15
# From one place. A whole office may hand over hundreds of right ones within minutes,
# and some of its people mistype.
PER_CLIENT = 40  # in a quarter of an hour
# Right, refused or not answered: what is kept for later must not be without end either.
ANY_PER_CLIENT = 1000  # in a quarter of an hour
# By the link for everybody, from wherever they come.
PER_LINK = 60  # in an hour
# By everything that hands passwords over, workers included: providers shut out whom
# they see fail again and again.
PER_SERVER = 120  # in an hour
# Of these so many are left to links of one's own, whatever strangers do.
FOR_OWN_LINKS = 30
# At one server at the same time. Its own limit counts as well, with copies and logins.
AT_ONCE = 8

# Where so many in a row were not answered, a server has to be silent no longer than
# this to be tried by somebody who waits for the answer.
SILENT_AFTER = 3
SILENT_FOR = timedelta(minutes=1)


class Way(StrEnum):
    """How a password came. Each has a budget of its own.

    Nobody who only knows the link for everybody can use up the tries of somebody with a
    link of their own, nor those of the workers; nor, by what they leave to the workers,
    the tries of what somebody else left there by such a link.
    """

    SHARED = "shared"
    OWN = "own"
    WORKER = "worker"
    WORKER_OWN = "worker-own"

    @property
    def is_own(self) -> bool:
        return self in {Way.OWN, Way.WORKER_OWN}

    @property
    def is_of_worker(self) -> bool:
        return self in {Way.WORKER, Way.WORKER_OWN}


@dataclass(frozen=True, slots=True)
class Keys:
    """Who tries, without saying who."""

    way: Way
    address: str
    client: str


def keys_of(*, way: Way, server_id: int, user: str, client: str | None) -> Keys:
    """Return what a sign-in is counted by.

    It is whose mailbox is entered that counts, whatever address stands beside it.
    """
    who = f"address:{server_id}:{_plain_user(user)}"
    return Keys(way, f"{way}:{hashed(who)}", _client_key(client))


def too_often_until(keys: Keys, at: datetime) -> datetime | None:
    """Return when somebody may try again who has failed too often, else None."""
    return too_often_of([keys], at, tried=not keys.way.is_of_worker)[0]


def too_often_of(
    several: Sequence[Keys], at: datetime, *, tried: bool = True
) -> list[datetime | None]:
    """Answer the same for several who come at once, each counted for those after it.

    What is under way counts as failed: of many at once, none slips through.
    """
    rows = SignIn.objects.all()
    failed = rows.filter(_failed(tried=tried))
    of_address = _times(failed, "address_key", {it.address for it in several}, at - DAY)
    clients = {it.client for it in several if it.client}
    # With those who come now it may be reached.
    near = ANY_PER_CLIENT - len(several) + 1
    of_client = _times(rows, "client_key", clients, at - QUARTER, least=near)
    wrong = _times(rows.filter(_failed()), "client_key", clients, at - QUARTER)
    found = []
    for keys in several:
        ends = [
            _full_until(of_address[keys.address], PER_ADDRESS_A_DAY, DAY, at),
            _full_until(of_address[keys.address], PER_ADDRESS, QUARTER, at),
        ]
        if keys.client:
            ends += [
                _full_until(wrong[keys.client], PER_CLIENT, QUARTER, at),
                _full_until(of_client[keys.client], ANY_PER_CLIENT, QUARTER, at),
            ]
        end = max((it for it in ends if it is not None), default=None)
        if end is None:
            of_client[keys.client].insert(0, at)
        found.append(end)
    return found


def is_used_up(campaign: Campaign, way: Way, at: datetime) -> bool:
    """Whether so many were refused that what comes in this way has to wait.

    Of links of one's own each is of one address, which has its limit.
    """
    since = SignIn.objects.filter(begun_at__gt=at - HOUR).filter(_failed())
    of_server = since.filter(server=campaign.server_id).count()
    if way.is_own:
        return of_server >= PER_SERVER
    if of_server >= PER_SERVER - FOR_OWN_LINKS:
        return True
    of_link = since.filter(campaign=campaign, address_key__startswith=f"{way}:")
    return of_link.count() >= PER_LINK


def is_silent(server_id: int, at: datetime) -> bool:
    """Whether a server has not answered lately, so that nobody need wait for it."""
    tried = SignIn.objects.filter(
        server=server_id, ended_at__gt=at - SILENT_FOR, holds_until__gt=F("begun_at")
    )
    newest = tried.order_by("-ended_at", "-pk").values_list("outcome", flat=True)
    outcomes = list(newest[:SILENT_AFTER])
    silent = SignIn.Outcome.UNANSWERED
    return len(outcomes) == SILENT_AFTER and all(it == silent for it in outcomes)


def free_places(server: Server, at: datetime, *, least: int = 0) -> int:
    """Return how many more sign-ins a server may have now.

    Whoever asks holds the lock on its row. With `least` as many are let in beside the
    copies, which may fill a server for days.
    """
    under_way = SignIn.objects.under_way(at).filter(server=server).count()
    free = AT_ONCE - under_way
    if server.parallel_runs is not None:
        ends = Q(job__server=server) | Q(job__destination_server=server)
        copies = Run.objects.busy().filter(ends).count()
        ends = Q(server=server) | Q(destination_server=server)
        logins = Job.objects.with_login_under_way(at).filter(ends).count()
        room = max(server.parallel_runs - copies, least) - logins - under_way
        free = min(free, room)
    return max(0, free)


def _times(
    rows: QuerySet[SignIn],
    column: str,
    keys: set[str],
    since: datetime,
    *,
    least: int = 1,
) -> dict[str, list[datetime]]:
    """Return by key when sign-ins began, the newest first.

    Those with less than `least` of them are left out: a rush from one place would load
    all that came before with each that comes.
    """
    times: dict[str, list[datetime]] = defaultdict(list)
    if keys:
        theirs = rows.filter(**{f"{column}__in": keys}, begun_at__gt=since)
        if least > 1:
            counted = theirs.values(column).annotate(times=Count("pk"))
            many = counted.filter(times__gte=least).values(column)
            theirs = theirs.filter(**{f"{column}__in": many})
        begun = theirs.order_by("-begun_at").values_list(column, "begun_at")
        for key, begun_at in begun:
            times[key].append(begun_at)
    return times


def _full_until(
    times: list[datetime], most: int, window: timedelta, at: datetime
) -> datetime | None:
    """Return when the one that fills a window leaves it, None if there is room."""
    if len(times) < most:
        return None
    end = times[most - 1] + window
    return end if end > at else None


def _failed(*, tried: bool = False) -> Q:
    """What counts against somebody; with `tried` also what a server left open.

    Some hang up on a wrong password instead of refusing it.
    """
    counted = Q(ended_at=None) | Q(outcome=SignIn.Outcome.REFUSED)
    if tried:
        counted |= Q(outcome=SignIn.Outcome.UNANSWERED, holds_until__gt=F("begun_at"))
    return counted


def _plain_user(user: str) -> str:
    """Return the name as most servers understand it, so that each has one budget."""
    name, at, domain = user.strip().casefold().rpartition("@")
    if not at:
        return domain
    return f"{name.partition('+')[0]}@{domain}"


def _client_key(client: str | None) -> str:
    """Return what stands for a place; with IPv6 one customer has a whole network."""
    if client is None:
        return ""  # unknown, so that everybody would share one budget
    found = ipaddress.ip_address(client)
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is None:
            network = ipaddress.ip_network((found, 64), strict=False)
            return hashed(f"client:{network}")
        found = found.ipv4_mapped
    return hashed(f"client:{found}")


def hashed(text: str) -> str:
    key = _key(settings.SECRET_KEY)
    return hmac.digest(key, text.encode(), "sha256").hex()[:48]


@lru_cache(maxsize=2)
def _key(secret: str) -> bytes:
    return hmac.digest(secret.encode(), b"sign-ins of campaigns", "sha256")
