"""Workers that die at the worst moments, cancellations that come at the last one."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import timedelta
from typing import Any, NoReturn
from unittest import mock

import pytest
from django.db import connection
from django.test import TransactionTestCase

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Role
from purelymanage.audit.models import Agent, Entry
from purelymanage.deletions.models import PendingDeletion
from purelymanage.deletions.operations import execution, requests
from purelymanage.domains import sync
from purelymanage.mailboxes.deletions import MailboxHandler
from purelymanage.mailboxes.models import Mailbox
from purelymanage.purelymail.client import PurelymailClient
from tests.cast import PASSWORD
from tests.deletions.cases import WithClock, ask

TRIES = 50
KILLED = 9
MISHAPS = [
    None,
    "hang",
    "drop",
    "drop_after",
    "hang_after",
    "half_answer",
    "status_500",
]
HANGS = ["hang", "hang_after"]
ENDS = ["deletion.done", "deletion.found_done", "deletion.cancelled"]


def die(*_: Any, **__: Any) -> NoReturn:
    os._exit(KILLED)


def delete_and_die(_: MailboxHandler, client: PurelymailClient, key: str) -> NoReturn:
    try:
        client.delete_user(key)
    finally:
        os._exit(KILLED)


class AtOnceTestCase(WithClock, TransactionTestCase):
    def setUp(self) -> None:
        super().setUp()
        sync.sync(actor=Agent.PANEL)
        self.sandbox.calls.clear()
        create = User.objects.create_user
        self.adam = create("adam@example.org", PASSWORD, role=Role.ADMIN)
        self.chance = random.Random(4)  # noqa: S311  # the same mishaps each time

    def add(self, number: int) -> PendingDeletion:
        """Create a mailbox that is due to be deleted."""
        name = f"leaver{number}"
        self.remote(
            "createUser", userName=name, domainName="example.org", password="x" * 12
        )
        address = f"{name}@example.org"
        Mailbox.objects.create(address=address, domain="example.org")
        deletion = ask(self.adam, address)
        self.make_due(deletion)
        return deletion

    def ends(self, deletion: PendingDeletion) -> list[str]:
        found = Entry.objects.filter(target=deletion.label, event__in=ENDS)
        return list(found.values_list("event", flat=True))


@pytest.mark.slow
class CrashTests(AtOnceTestCase):
    def crash(self, deletion: PendingDeletion, **seam: Any) -> None:
        """Execute in a process of its own that is gone at the seam, or before."""
        connection.close()
        child = os.fork()
        if not child:
            try:
                with mock.patch.object(**seam):
                    execution.execute_deletion(deletion=deletion)
            finally:
                os._exit(0)
        os.waitpid(child, 0)

    def try_often(self, *, calls: bool = True, **seam: Any) -> None:
        outcomes: Counter[str] = Counter()
        for number in range(TRIES):
            mishap = self.chance.choice(MISHAPS)
            # Only what hangs is given up early, whatever the machine is busy with.
            hangs = mishap in HANGS
            with self.timeout(0.2, "deleteUser") if hangs else nullcontext():
                outcomes[self.try_once(number, mishap, calls=calls, **seam)] += 1
        self.assertEqual(set(outcomes), {"deleted", "cancelled"})
        self.assertFalse(PendingDeletion.objects.open().exists())

    def try_once(
        self, number: int, mishap: str | None, *, calls: bool, **seam: Any
    ) -> str:
        """Crash at the seam, which lies behind the call if that `calls`; look after."""
        deletion = self.add(number)
        if mishap:
            self.fault(mishap, "deleteUser", seconds=0.3)
        self.crash(deletion, **seam)
        self.assertEqual(self.state(deletion), "deleting")
        self.assertFalse(self.cancel(deletion))

        if calls and mishap == "hang_after":
            self.let_it_arrive(deletion)
        self.wait(execution.LEASE + timedelta(seconds=1))
        execution.resolve_abandoned()
        if self.chance.random() < 0.3 and self.cancel(deletion):
            was_there = self.is_remote(deletion.key)
            self.run_until(self.now + timedelta(minutes=10))
            self.assertTrue(was_there and self.is_remote(deletion.key))
            self.assertEqual(self.ends(deletion), ["deletion.cancelled"])
        else:
            self.run_to_its_end(deletion)
            self.assertFalse(self.is_remote(deletion.key))
            self.assertEqual(len(self.ends(deletion)), 1, self.ends(deletion))
        self.sandbox.faults.clear()
        return self.state(deletion)

    def let_it_arrive(self, deletion: PendingDeletion) -> None:
        """Wait for a call under way; the minutes of a lease, in which it arrives."""
        ends = time.monotonic() + 10
        while self.is_remote(deletion.key) and time.monotonic() < ends:
            time.sleep(0.01)

    def cancel(self, deletion: PendingDeletion) -> bool:
        return bool(requests.cancel_deletions(deletions=[deletion], actor=self.adam))

    def test_killed_before_the_call(self) -> None:
        self.try_often(calls=False, target=MailboxHandler, attribute="execute", new=die)

    def test_killed_between_call_and_reading_back(self) -> None:
        self.try_often(target=MailboxHandler, attribute="execute", new=delete_and_die)

    def test_killed_before_settling(self) -> None:
        # Whatever is to be written: it is not.
        for name in ("_leave", "_postpone"):
            self.enterContext(
                mock.patch.object(execution, name, self.unless_child(name))
            )
        self.try_often(target=execution, attribute="_settle", new=die)

    def unless_child(self, name: str) -> Callable[..., None]:
        real, parent = getattr(execution, name), os.getpid()

        def write(*args: Any, **more: Any) -> None:
            if os.getpid() != parent:
                die()
            real(*args, **more)

        return write


class RaceTests(AtOnceTestCase):
    @pytest.mark.slow
    def test_a_cancellation_and_an_execution_never_both_win(self) -> None:
        outcomes: Counter[str] = Counter()
        with ThreadPoolExecutor(2) as pool:
            for number in range(100):
                deletion = self.add(number)
                twin = PendingDeletion.objects.get(pk=deletion.pk)

                def execute(it: PendingDeletion = deletion) -> None:
                    try:
                        execution.execute_deletion(deletion=it)
                    finally:
                        connection.close()

                def cancel(it: PendingDeletion = twin) -> int:
                    try:
                        return requests.cancel_deletions(
                            deletions=[it], actor=self.adam
                        )
                    finally:
                        connection.close()

                jobs: list[Callable[[], Any]] = [execute, cancel]
                if number % 2:
                    jobs.reverse()
                futures = [pool.submit(job) for job in jobs]
                results = [future.result() for future in futures]
                was_cancelled = 1 in results
                state = self.state(deletion)
                self.assertEqual(state, "cancelled" if was_cancelled else "deleted")
                self.assertEqual(self.is_remote(deletion.key), was_cancelled)
                self.assertEqual(len(self.ends(deletion)), 1)
                outcomes[state] += 1
        self.assertEqual(set(outcomes), {"deleted", "cancelled"}, outcomes)

    @pytest.mark.slow
    def test_two_workers_delete_once(self) -> None:
        self.fault("latency", "listUser", seconds=0.2)
        deletion = self.add(1)

        def execute(_: int) -> None:
            try:
                execution.execute_due()
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(execute, range(4)))
        self.assertEqual(self.state(deletion), "deleted")
        self.assertEqual(self.sandbox.calls.count("deleteUser"), 1)
        self.assertEqual(deletion.attempt, 1)

    def test_a_worker_that_slept_too_long_does_not_call(self) -> None:
        deletion = self.add(1)
        real = MailboxHandler.impact

        def sleep(*args: Any) -> Any:
            self.wait(execution.LEASE + timedelta(seconds=1))
            execution.resolve_abandoned()
            requests.cancel_deletions(deletions=[deletion], actor=self.adam)
            return real(*args)

        with mock.patch.object(MailboxHandler, "impact", sleep):
            execution.execute_deletion(
                deletion=PendingDeletion.objects.get(pk=deletion.pk)
            )
        self.assertEqual(self.state(deletion), "cancelled")
        self.assertTrue(self.is_remote(deletion.key))

    @pytest.mark.slow
    def test_the_end_of_a_domain_and_a_cancellation_do_not_block_each_other(
        self,
    ) -> None:
        inside = [self.add(number) for number in range(20)]
        domain = ask(self.adam, "example.org", kind="domain")
        self.make_due(domain)
        self.fault("latency", "deleteDomain", seconds=0.05)

        def execute() -> None:
            try:
                execution.execute_deletion(deletion=domain)
            finally:
                connection.close()

        def cancel(it: PendingDeletion) -> None:
            try:
                requests.cancel_deletions(deletions=[it], actor=self.adam)
            finally:
                connection.close()

        with ThreadPoolExecutor(6) as pool:
            futures = [pool.submit(execute)]
            futures += [pool.submit(cancel, it) for it in reversed(inside)]
            for future in futures:
                future.result(timeout=30)
        self.assertEqual(self.state(domain), "deleted")
        states = {self.state(it) for it in inside}
        self.assertLessEqual(states, {"deleted", "cancelled"})
