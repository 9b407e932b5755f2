"""Asks the DNS about many domains at once, each within its time."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from purelymanage.domains.dns import wire
from purelymanage.domains.dns.observations import (
    Answer,
    Failure,
    Observation,
    Outcome,
    Question,
    Source,
    normal,
)
from purelymanage.domains.dns.questions import open_questions, questions
from purelymanage.domains.dns.servers import Server, own_server, resolvers
from purelymanage.domains.dns.wire import Reply

PER_TRY = 2.0  # seconds for one server's answer
PER_QUESTION = 6.0  # with all the servers that are asked
PER_DOMAIN = 25.0
AT_ONCE = 128  # questions under way
DOMAINS_AT_ONCE = 48
LONGEST_KEPT = 24 * 60 * 60
MOST_KEPT = 20_000
# A resolver that let so many questions in a row go by is asked last.
DEAF_AFTER = 4
MOST_SERVERS = 6  # of a zone
# Faults which another server may not have.
ELSEWHERE = {
    Failure.SERVFAIL,
    Failure.TIMEOUT,
    Failure.REFUSED,
    Failure.LAME,
    Failure.GARBLED,
    Failure.UNREACHABLE,
}
SAYS_LITTLE = {Failure.TIMEOUT, Failure.UNREACHABLE}


class Memory:
    """Answers until their time to live ends."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[Question, tuple[float, Answer]] = OrderedDict()

    def get(self, question: Question) -> Answer | None:
        until, answer = self._kept.get(question, (0.0, None))
        return answer if until > self._clock() else None

    def put(self, question: Question, reply: Reply) -> None:
        """Keep a reply. What could not be looked up is not kept at all."""
        if reply.answer.is_known and reply.keeps > 0:
            until = self._clock() + min(reply.keeps, LONGEST_KEPT)
            self._kept[question] = (until, reply.answer)
            self._kept.move_to_end(question)
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)

    def clear(self) -> None:
        self._kept.clear()


# Of this process. Others have theirs: it saves traffic, and nothing hangs on it.
memory = Memory()


def look(
    domains: Iterable[str],
    *,
    anew: bool = False,
    at_zone: bool = False,
    servers: Sequence[Server] | None = None,
    kept: Memory | None = None,
) -> dict[str, Observation]:
    """Return what the DNS says about each domain.

    `anew` asks again for what was asked before: somebody wants to know it now.
    `at_zone` asks the zone's own name servers about the domain's own names, which know
    of a change before any resolver does. Raise `NoResolver` if nobody can be asked.
    """
    batch = Batch(
        tuple(servers or resolvers()),
        kept=memory if kept is None else kept,
        anew=anew,
        at_zone=at_zone,
    )
    return asyncio.run(batch.look_at_all(domains))


def ask_one(
    name: str,
    type: str,
    *,
    at_zone: bool = False,
    servers: Sequence[Server] | None = None,
) -> Answer:
    """Return the answer to one question, asked anew."""
    batch = Batch(tuple(servers or resolvers()), kept=Memory(), at_zone=at_zone)
    return asyncio.run(batch.answer_one(name, type))


class Batch:
    """One look at some domains. Answers that several need are asked for once."""

    def __init__(
        self,
        servers: tuple[Server, ...],
        *,
        kept: Memory,
        anew: bool = False,
        at_zone: bool = False,
    ) -> None:
        self._servers = servers
        self._kept = kept
        self._anew = anew
        self._at_zone = at_zone
        self._free = asyncio.Semaphore(AT_ONCE)
        self._free_domains = asyncio.Semaphore(DOMAINS_AT_ONCE)
        self._under_way: dict[Question, asyncio.Task[Answer]] = {}
        self._unheard: Counter[Server] = Counter()
        self._hears = False  # whether any resolver said anything at all

    async def look_at_all(self, domains: Iterable[str]) -> dict[str, Observation]:
        names = list(dict.fromkeys(map(normal, domains)))
        found = await asyncio.gather(*map(self._look_at, names))
        if not self._hears and any(map(_own_faults, found)):
            # The rest may have come from memory: the root is known to everybody.
            await self._ask_in_turn((".", "NS"), self._servers)
            if not self._hears:
                found = [_unheard(it) for it in found]
        return dict(zip(names, found, strict=True))

    async def answer_one(self, name: str, type: str) -> Answer:
        own = await self._own_servers(name) if self._at_zone else ()
        if self._at_zone and not own:
            return Answer(Outcome.FAILED, failure=Failure.UNREACHABLE)
        reply = await self._ask_in_turn((normal(name), type), own or self._servers)
        return (await self._followed((name, type), reply)).answer

    async def _look_at(self, domain: str) -> Observation:
        async with self._free_domains:
            deadline = asyncio.get_running_loop().time() + PER_DOMAIN
            own: tuple[Server, ...] = ()
            if self._at_zone:
                own = await _in_time(deadline, self._own_servers(domain), ())
            source = Source.ZONE if own else Source.RESOLVERS
            seen = Observation(domain, source=source)
            while wanted := questions(seen):
                late = Answer(Outcome.FAILED, failure=Failure.TIMEOUT)
                found = await asyncio.gather(
                    *(
                        _in_time(deadline, self._answer(it, domain, own), late)
                        for it in wanted
                    )
                )
                answers = dict(seen.answers) | dict(zip(wanted, found, strict=True))
                seen = replace(seen, answers=answers)
                if asyncio.get_running_loop().time() >= deadline:
                    break
            seen = replace(seen, is_complete=not open_questions(seen))
            if _own_faults(seen):
                seen = await _in_time(deadline + PER_QUESTION, self._blame(seen), seen)
            return seen

    async def _answer(
        self, question: Question, domain: str, own: tuple[Server, ...]
    ) -> Answer:
        if not own or not _is_below(question[0], domain):
            return await self._shared(question)
        reply = await self._ask_in_turn(question, own)
        return (await self._followed(question, reply)).answer

    async def _shared(self, question: Question) -> Answer:
        """Ask the resolvers, once for all who want to know it."""
        if not self._anew and (known := self._kept.get(question)):
            return known
        task = self._under_way.get(question)
        if task is None:
            task = asyncio.ensure_future(self._resolved(question))
            self._under_way[question] = task
        return await asyncio.shield(task)  # others may have more time left

    async def _resolved(self, question: Question) -> Answer:
        reply = await self._ask_in_turn(question, self._servers)
        self._kept.put(question, reply)
        return reply.answer

    async def _followed(self, question: Question, reply: Reply) -> Reply:
        """Follow an alias that leads out of what a zone's own servers know."""
        if not reply.open_end:
            return reply
        rest = await self._shared((reply.open_end, question[1]))
        return wire.with_alias(reply.answer, Reply(rest))

    async def _ask_in_turn(
        self, question: Question, servers: tuple[Server, ...]
    ) -> Reply:
        """Ask one server after the other until one can tell."""
        loop = asyncio.get_running_loop()
        in_turn = sorted(servers, key=lambda it: self._unheard[it] >= DEAF_AFTER)
        reply = wire.failed(Failure.UNREACHABLE)
        async with self._free:
            deadline = loop.time() + PER_QUESTION
            # One server alone is asked a second time: a datagram may get lost.
            for server in in_turn if len(in_turn) > 1 else in_turn * 2:
                left = deadline - loop.time()
                if left <= 0:
                    break
                latest = await wire.ask(question, server, timeout=min(PER_TRY, left))
                failure = latest.answer.failure
                if server.is_resolver and failure not in SAYS_LITTLE:
                    self._hears = True
                if failure is Failure.TIMEOUT:
                    self._unheard[server] += 1
                else:
                    self._unheard[server] = 0
                # What a server said says more than that another one was silent.
                if reply.answer.failure in SAYS_LITTLE or failure not in ELSEWHERE:
                    reply = latest
                if failure not in ELSEWHERE:
                    break
                if failure is not Failure.TIMEOUT and len(in_turn) == 1:
                    break
        return reply

    # The zone's own servers, and whose fault it is

    async def _own_servers(self, domain: str) -> tuple[Server, ...]:
        _, hosts = await self._zone_of(domain)
        found = [await self._addresses(host) for host in hosts[:MOST_SERVERS]]
        return tuple(own_server(it, self._servers) for them in found for it in them)

    async def _zone_of(self, name: str) -> tuple[str, tuple[str, ...]]:
        """Return the zone that holds `name` and its name servers."""
        while name:
            answer = await self._shared((name, "NS"))
            if answer.is_found and not answer.chain:
                return name, answer.records
            if not answer.is_known:
                return name, await self._delegated(name)
            name = name.partition(".")[2]
        return "", ()

    async def _delegated(self, zone: str) -> tuple[str, ...]:
        """Return the servers that the zone above names for one that does not answer."""
        above = zone.partition(".")[2]
        if not above:
            return ()
        for server in await self._own_servers(above):
            reply = await wire.ask((zone, "NS"), server, timeout=PER_TRY)
            if found := reply.referral or reply.answer.records:
                return found
        return ()

    async def _addresses(self, host: str) -> tuple[str, ...]:
        return (await self._shared((host, "A"))).records or (
            await self._shared((host, "AAAA"))
        ).records

    async def _blame(self, seen: Observation) -> Observation:
        """Find out why a domain's own names cannot be looked up.

        Resolvers say SERVFAIL to an alias in circles as well as to servers that do not
        feel responsible; which it is decides what has to be done.
        """
        answers = dict(seen.answers)
        faults = _own_faults(seen)
        for question in faults:
            if answers[question].failure is Failure.SERVFAIL:
                chain = await self._circle(question[0])
                if chain:
                    answers[question] = wire.failed(Failure.LOOP, chain).answer

        zone, hosts = await self._zone_of(seen.domain)
        lame, others = [], 0
        for host in hosts[:MOST_SERVERS]:
            if await self._is_lame(zone, host):
                lame.append(host)
            else:
                others += 1
        if lame and not others:
            for question in faults:
                if answers[question].failure in (Failure.SERVFAIL, Failure.REFUSED):
                    answers[question] = wire.failed(Failure.LAME).answer
        return replace(seen, answers=answers, lame_servers=tuple(lame))

    async def _circle(self, name: str) -> tuple[str, ...]:
        chain: list[str] = []
        for _ in range(wire.LONGEST_CHAIN):
            answer = await self._shared((name, "CNAME"))
            if not answer.is_found:
                return ()
            if name in chain:
                break
            chain.append(name)
            name = answer.records[0]
        return tuple(chain)

    async def _is_lame(self, zone: str, host: str) -> bool:
        for address in await self._addresses(host):
            server = own_server(address, self._servers)
            reply = await wire.ask((zone, "SOA"), server, timeout=PER_TRY)
            if reply.answer.failure in (Failure.LAME, Failure.REFUSED):
                return True
        return False


T = TypeVar("T")


async def _in_time(deadline: float, coming: Awaitable[T], otherwise: T) -> T:
    try:
        async with asyncio.timeout_at(deadline):
            return await coming
    except TimeoutError:
        return otherwise


def _unheard(seen: Observation) -> Observation:
    """Lay it to the resolvers, not to the domain's name servers."""
    answers = {
        question: wire.failed(Failure.UNHEARD).answer
        if answer.failure in SAYS_LITTLE
        else answer
        for question, answer in seen.answers.items()
    }
    return replace(seen, answers=answers)


def _own_faults(seen: Observation) -> list[Question]:
    return [
        (name, type)
        for (name, type), answer in seen.answers.items()
        if answer.outcome is Outcome.FAILED and _is_below(name, seen.domain)
    ]


def _is_below(name: str, domain: str) -> bool:
    return name == domain or name.endswith(f".{domain}")
