"""One copy from the first look to the verdict.

Look at both sides, send what is missing, look again: that is the whole algorithm.
A lost connection is only another reason to look again.

What the server has taken in by then is seen, and is not sent again. What reaches it, or
is stored by it, after that look is there twice in the end: where bytes were held up on
their way for longer than the pause before it, or where a server that had gone silent
goes on with what it was sent. Only commands without an answer can be concerned, at most
`UNANSWERED` messages or `UNANSWERED_BATCHES` times `BATCH_MESSAGES` for each connection
to the destination. IMAP knows no way to ask what became of them. So whatever broke,
the connections that still stand are heard to the end, and where something was sent of
which nothing was heard the server is given longer, most of all if it went silent.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

from purelymanage.imap.account import Account
from purelymanage.imap.backoff import told_wait
from purelymanage.imap.errors import ImapError, ProtocolError, WentSilent
from purelymanage.imap.folders import list_folders
from purelymanage.migrations.engines.base import (
    CopyOptions,
    FolderProgress,
    FolderState,
    Phase,
    Verdict,
    in_messages,
)

from .flagging import Flagger, tell
from .following import follow_flags
from .letters import find_homes
from .listing import Mark
from .looking import Look
from .mapping import plan_routes
from .orders import Orders
from .sides import Pair, Sides
from .tally import Tally
from .throttle import Budget, Pace
from .transfer import Transfer
from .work import Job, Target, count_rest, leave_out

# Times that we look again and still find something to send, as in a mailbox in use.
PASSES = 3
# Seconds before another attempt, twice as many before each that follows.
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 20.0
# The same where something was sent of which nothing was heard: it shall be stored, and
# not on its way, when we look.
UNHEARD_PAUSE = 3.0
# The same after a silence: it may be a long command that the server is still at.
SILENT_PAUSE = 15.0
# Seconds between two answers of a destination that had no part in what broke.
PATIENCE = 5.0
# Seconds of looking after which it may be worth to copy over further connections.
LONG_LOOK = 1.0
# Breaks with one message alone on its way before it takes the blame.
PROOF = 2


class Run:
    def __init__(
        self,
        source: Account,
        destination: Account | None,
        options: CopyOptions,
        tally: Tally,
    ) -> None:
        self._sides = Sides(source, destination, options, tally)
        self._options = options
        self._tally = tally
        self._targets: list[Target] = []
        self._transfer: Transfer | None = None
        self._looking: asyncio.Task[None] | None = None
        self._pace = Pace(options.messages_a_second)
        self.budget = Budget(options.allowance, tally.news.set)
        # Whether nothing has happened since the last full look.
        self._looked = False
        self._stopped = False
        # What was alone on its way when a connection broke, and how often.
        self._suspect: tuple[Job, int] | None = None
        self._breaks: Counter[tuple[str, int]] = Counter()

    async def run(self) -> None:
        """Copy, and start again from a fresh look when a connection breaks."""
        self._sides.refuse_same()
        failures, reached = 0, self._reached()
        try:
            while True:
                try:
                    await self._attempt(careful=failures > 1)
                    return
                except ImapError as exc:
                    if not self._may_pass(exc):
                        raise
                    if self._reached() != reached:
                        failures, reached = 0, self._reached()
                    failures += 1
                    if failures > self._options.reconnects:
                        raise
                    heard = await self._sides.heard(PATIENCE)
                    unheard = not heard and self._has_sent()
                    pause = pause_after(exc, failures, unheard=unheard)
                    if pause > LONGEST_PAUSE:
                        # Whoever made us begin knows how to wait for so long.
                        raise
                    self._tally.note(f"{exc.message} Trying again.")
                    self._sides.narrow()
                await self._close()
                await asyncio.sleep(pause)
        finally:
            await self._close()

    def _may_pass(self, failure: ImapError) -> bool:
        """Say whether to try again; the first connection is a question of settings.

        What makes no sense may do so on another connection, and where it is one
        message that makes none, it is found that way.
        """
        again = failure.retry or isinstance(failure, ProtocolError)
        return again and bool(self._targets)

    def stop(self) -> bool:
        """Send nothing more. False if there is nothing that would end by itself."""
        self._stopped = True
        if self._transfer is None:
            return False
        if self._looking is not None:
            self._looking.cancel()
        self._transfer.stop()
        return True

    def verdict(self) -> Verdict:
        """Judge by the last look at both sides, and by nothing else."""
        jobs = [job for target in self._targets for job in target.jobs]
        if not self._looked or any(job.failed for job in jobs):
            return Verdict.INCOMPLETE
        if any(job.progress.failed for job in jobs):
            return Verdict.SKIPPED
        return Verdict.COMPLETE

    async def _attempt(self, *, careful: bool) -> None:
        try:
            self._tally.enter(Phase.CONNECTING, "logging in on both sides")
            await self._sides.connect()
            if not self._targets:
                await self._list()
            if self._options.dry_run or self._options.flags_only:
                await self._look(Phase.READING)
                if self._options.flags_only:
                    await self._flag()
            else:
                if not careful:
                    self._sides.join_ahead()
                await self._copy(careful=careful)
                await follow_flags(
                    self._sides.destinations[0], self._targets, self._tally
                )
            self._finish()
        except BaseExceptionGroup as group:
            raise _cause(group) from None

    async def _copy(self, *, careful: bool) -> None:
        if careful or self._suspect is not None:
            await self._look(Phase.READING, creates=True)
            self._give_up_suspect()
            has_sent = await self._send_rest(careful=careful)
        else:
            has_sent = await self._look_and_send()
        passes = 1
        while has_sent:
            self.budget.check()
            await self._look(Phase.COMPARING)
            has_sent = passes < PASSES and await self._send_rest(careful=careful)
            passes += 1

    async def _look_and_send(self) -> bool:
        """Look at all folders, and send what is missing, if need be meanwhile."""
        orders = Orders()
        async with asyncio.TaskGroup() as group:
            looking = self._looking = group.create_task(self._look_for(orders))
            pair = await self._spare(looking, orders)
            if pair is None:
                await asyncio.wait({looking})
            has_something = bool(orders.left)
            if has_something:
                sending = group.create_task(self._send(orders, pair))
                await asyncio.wait({looking})
                for job in self._jobs():
                    count_rest(job)
                self._tally.enter(Phase.COPYING)
                if pair is not None:
                    self._sides.rest()
                await asyncio.wait({sending})
        self._raise_if_stopped()
        return has_something

    async def _look_for(self, orders: Orders) -> None:
        try:
            await self._look(Phase.READING, creates=True, on_known=orders.add)
        finally:
            orders.end()

    async def _spare(self, looking: asyncio.Task[None], orders: Orders) -> Pair | None:
        """Return connections to copy over during a look that takes long.

        It has to take longer than it takes to open them, or they come too late.
        """
        patience = max(LONG_LOOK, 2 * self._sides.sign_in)
        await asyncio.wait({looking}, timeout=patience)
        while not orders.left and not orders.ended:
            await orders.change()
        if orders.ended:
            return None
        opening = asyncio.ensure_future(self._sides.spare())
        try:
            either: set[asyncio.Future[Any]] = {looking, opening}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            opening.cancel()
        return opening.result() if opening.done() else None

    async def _send_rest(self, *, careful: bool) -> bool:
        """Send what the last look has found to be missing, if anything."""
        orders = Orders(self._targets)
        orders.end()
        if not orders.left:
            return False
        self._tally.enter(Phase.COPYING)
        await self._send(orders, None, careful=careful)
        return True

    async def _send(
        self, orders: Orders, over: Pair | None, *, careful: bool = False
    ) -> None:
        self._looked = False
        self._transfer = Transfer(
            self._sides,
            self._options,
            self._tally,
            careful=careful,
            pace=self._pace,
            budget=self.budget,
        )
        try:
            await self._transfer.run(orders, over)
        finally:
            self._suspect = self._transfer.current if careful else None
            self._transfer = None
        self._suspect = None
        self._raise_if_stopped()

    def _raise_if_stopped(self) -> None:
        if self._stopped:
            raise asyncio.CancelledError

    async def _flag(self) -> None:
        self._tally.enter(Phase.COPYING)
        self._looked = False
        flagger = Flagger(self._sides.source, self._sides.destination, self._tally)
        await flagger.flag_all(self._targets, dry_run=self._options.dry_run)
        self._looked = True
        for job in self._jobs():
            if not job.failed:
                self._tally.note(tell(job))

    def _finish(self) -> None:
        judges = not self._options.dry_run and not self._options.flags_only
        for job in self._jobs():
            if job.unseen and judges:
                be = "is" if job.unseen == 1 else "are"
                reason = f"{in_messages(job.unseen)} {be} not at the destination."
                job.fail(self._tally, reason)
            job.tell_unlisted(self._tally)
            if not job.failed:
                job.progress.state = FolderState.DONE
        self._tally.enter(Phase.DONE)

    async def _close(self) -> None:
        await self._sides.close(politely=self._looked)

    async def _list(self) -> None:
        self._tally.enter(Phase.LISTING, "listing the folders of both sides")
        async with asyncio.TaskGroup() as group:
            coming = group.create_task(list_folders(self._sides.source))
            going = group.create_task(self._sides.list_destination())
        source, destination = coming.result(), going.result()
        gmail = self._sides.source.has("X-GM-EXT-1")
        routes = plan_routes(source, destination, self._options, gmail=gmail)
        makes_none = self._options.dry_run or self._options.flags_only
        if makes_none and self._sides.destination is not None:
            routes = await find_homes(self._sides.destination, destination, routes)
        by_wire: dict[bytes, Target] = {}
        for route in routes:
            attributes = route.source.attributes
            target = by_wire.setdefault(
                route.wire,
                Target(
                    route.wire,
                    route.name,
                    route.exists,
                    route.subscribed,
                    route.parents,
                    route.spare,
                ),
            )
            progress = FolderProgress(
                route.source.name, route.name, exists=route.exists
            )
            target.jobs.append(
                Job(route.source, progress, everything="\\ALL" in attributes)
            )
            self._tally.folders.append(progress)
        # Last what holds everything, when the rest is known.
        self._targets = sorted(
            by_wire.values(), key=lambda t: any(job.everything for job in t.jobs)
        )

    async def _look(
        self,
        phase: Phase,
        *,
        creates: bool = False,
        on_known: Callable[[Target], None] | None = None,
    ) -> None:
        """Read both sides and mark what is missing, or was when it was read."""
        look = Look(
            self._sides,
            self._options,
            self._tally,
            self._targets,
            on_known or (lambda target: None),
        )
        self._targets = await look.run(phase, creates=creates)
        self._looked = self._transfer is None

    def _give_up_suspect(self) -> None:
        """Leave out the message that was alone on the line when it broke."""
        if self._suspect is None:
            return
        job, uid = self._suspect
        self._suspect = None
        listing = job.listing
        if listing is None or listing.uids[row := listing.row(uid)] != uid:
            return
        name = job.progress.source
        self._breaks[name, uid] += 1
        if listing.marks[row] == Mark.MISSING and self._breaks[name, uid] >= PROOF:
            reason = "The connection broke each time it was copied."
            leave_out(job, listing, row, reason, self._tally)

    def _has_sent(self) -> bool:
        listings = [job.listing for job in self._jobs()]
        return any(it is not None and Mark.SENT in it.marks for it in listings)

    def _jobs(self) -> list[Job]:
        return [job for target in self._targets for job in target.jobs]

    def _reached(self) -> int:
        """Return a number that grows with everything that was achieved."""
        jobs = self._jobs()
        listed = sum(job.listing is not None for job in jobs)
        return listed + sum(job.progress.copied + job.progress.failed for job in jobs)


def pause_after(failure: ImapError, failures: int, *, unheard: bool) -> float:
    """Return the seconds to wait after so many failures in a row.

    `unheard` says whether some message was sent of which nothing was heard.
    """
    if wait := told_wait(failure.technical):
        return wait.total_seconds()
    first = FIRST_PAUSE
    if unheard:
        first = SILENT_PAUSE if isinstance(failure, WentSilent) else UNHEARD_PAUSE
    wanted: float = first * 2 ** (failures - 1)
    return min(LONGEST_PAUSE, wanted)


def _cause(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the one error to act on: our own mistakes first, then lasting ones."""
    leaves = [
        _cause(error) if isinstance(error, BaseExceptionGroup) else error
        for error in group.exceptions
    ]

    def rank(error: BaseException) -> int:
        return 1 + error.retry if isinstance(error, ImapError) else 0

    return min(leaves, key=rank)
