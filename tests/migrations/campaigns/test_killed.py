"""Launches that are killed at every step, and two at the same moment."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any
from unittest import mock

import pytest
from django.db import connection, connections
from django.test import TransactionTestCase
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Role
from purelymanage.audit.models import Entry
from purelymanage.domains.models import Domain
from purelymanage.mailboxes.models import AppPassword, Creation, HandOver, Mailbox
from purelymanage.mailboxes.operations import creating
from purelymanage.mailboxes.tasks import revoke_app_passwords
from purelymanage.migrations import tasks
from purelymanage.migrations.campaigns.tasks import go_on_launching
from purelymanage.migrations.models import (
    Batch,
    Job,
    Launch,
    Participant,
    Run,
    Server,
    Submission,
)
from purelymanage.migrations.operations import launches, launching, settling
from purelymanage.migrations.operations.launching import Wishes, join_late, launch
from purelymanage.purelymail.client import PurelymailClient
from purelymanage.purelymail.sandbox.demo_mail import password_of
from tests.migrations.campaigns.people import (
    DOMAIN,
    OLD,
    add_campaign,
    add_people,
    hand_over,
    numbered,
)
from tests.migrations.cases import SMALL, WithMail, make_server
from tests.migrations.importing.test_at_once import at_once

COUNT = 2


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def survives(deed: Callable[[], object]) -> bool:
    """Do something in a process of its own; tell whether that lived to see the end."""
    connections.close_all()
    child = os.fork()
    if not child:
        try:
            deed()
        except BaseException:  # which pytest must not see twice
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return not os.WIFSIGNALED(status)


@contextmanager
def dying_at(step: int) -> Iterator[None]:
    """Let the process die right after the statement that changes something `step`th."""
    passed = 0

    def count(execute: Any, sql: str, *args: Any) -> Any:
        nonlocal passed
        found = execute(sql, *args)
        passed += sql.startswith(("INSERT", "UPDATE", "DELETE"))
        if passed == step:
            die()
        return found

    with connection.execute_wrapper(count):
        yield


@contextmanager
def in_steps_of(people: int) -> Iterator[None]:
    """Leave all but the smallest launches to a worker, who takes so many at a time."""
    with (
        mock.patch.object(launching, "AT_ONCE", 1),
        mock.patch.object(launches, "STEP", people),
    ):
        yield


def work() -> None:
    """Do what a worker does with what a click has left to it."""
    for pk in Launch.objects.unfinished().values_list("pk", flat=True):
        go_on_launching(pk)


class WithCampaign(TransactionTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.adam = User.objects.create_user("adam@example.org", None, role=Role.ADMIN)
        self.server = Server.objects.create(
            name="Old", host="imap.old.example", created_by=self.adam
        )
        self.campaign = add_campaign(self.adam, self.server)

    def launch(self) -> None:
        wishes = Wishes(begins_with_plan=False)
        launch(campaign=self.campaign, wishes=wishes, actor=self.adam)

    def assert_everything_once(self, count: int) -> None:
        batch = Batch.objects.get()
        people = Participant.objects.select_related("job").order_by("pk")
        jobs = list(Job.objects.order_by("number"))
        self.assertEqual([it.job for it in people], jobs)
        self.assertEqual([it.number for it in jobs], list(range(1, count + 1)))
        self.assertEqual({it.batch for it in jobs}, {batch})
        self.assertEqual(Run.objects.count(), count)
        self.assertEqual(Run.objects.values("job").distinct().count(), count)
        self.assertFalse(Submission.objects.exclude(secret="").exists())
        created = Entry.objects.filter(event="migration.created")
        self.assertEqual(created.count(), count)


@pytest.mark.slow
class KilledTests(WithCampaign):
    def test_a_launch_that_is_killed_at_any_change_happens_once(self) -> None:
        hand_over(add_people(self.campaign, *numbered(COUNT)))
        step = 0

        def launch_until() -> None:
            with dying_at(step):
                self.launch()

        while not survives(launch_until):
            self.assertFalse(Batch.objects.exists())
            self.assertFalse(Job.objects.exists())
            self.assertFalse(Entry.objects.exists())
            kept = Submission.objects.exclude(secret="")
            self.assertEqual(kept.count(), COUNT)
            step += 1
        self.assertGreater(step, 7)
        self.assert_everything_once(COUNT)
        # As whoever was killed after the commit does not know that it was done.
        self.launch()
        self.assert_everything_once(COUNT)

    def test_somebody_late_who_is_killed_at_any_change_joins_once(self) -> None:
        hand_over(add_people(self.campaign, *numbered(1)))
        self.launch()
        (person,) = add_people(self.campaign, f"late@{OLD}")
        hand_over([person])
        step = 0

        def join_until() -> None:
            with dying_at(step):
                join_late(participant=person)

        while not survives(join_until):
            self.assertEqual(Job.objects.count(), 1)
            step += 1
        self.assertFalse(join_late(participant=person))
        self.assert_everything_once(2)


@pytest.mark.slow
class KilledWorkerTests(WithCampaign):
    """A launch that is left to a worker: the click, two steps, and the end."""

    def test_it_happens_once_wherever_it_is_killed(self) -> None:
        hand_over(add_people(self.campaign, *numbered(3)))
        step, killed, reached = 0, 0, (0, 0)

        def launch_until() -> None:
            with dying_at(step), in_steps_of(2):
                self.launch()
                work()

        while not survives(launch_until):
            killed += 1
            before, step = step, step + 1
            if (now := self.progress()) != reached:
                # From the first change of the next transaction.
                reached, step = now, 0
            self.assertLess(before, 20)
            done = reached[1]
            self.assertEqual(Job.objects.count(), done)
            left = Submission.objects.exclude(secret="")
            self.assertEqual(left.count(), 3 - done)
            created = Entry.objects.filter(event="migration.created")
            self.assertEqual(created.count(), done)
        self.assertGreater(killed, 20)
        self.assert_everything_once(3)
        self.launch()
        work()
        self.assert_everything_once(3)
        self.assertEqual(Entry.objects.filter(event="campaign.launched").count(), 1)

    def progress(self) -> tuple[int, int]:
        """Return whether the click has been, and how many the worker went through."""
        launch = Launch.objects.first()
        return (1, launch.done) if launch is not None else (0, 0)


class AtOnceTests(WithCampaign):
    @pytest.mark.slow
    def test_two_clicks_and_two_workers_launch_once(self) -> None:
        hand_over(people := add_people(self.campaign, *numbered(5)))

        def join() -> None:
            join_late(participant=people[0])

        with in_steps_of(2):
            self.assertEqual(at_once(self.launch, self.launch), ["", ""])
            self.assertEqual(Launch.objects.count(), 1)
            self.assertEqual(at_once(work, self.launch, join, work), [""] * 4)
        self.assert_everything_once(5)

    def test_two_clicks_at_the_same_moment_launch_once(self) -> None:
        hand_over(add_people(self.campaign, *numbered(COUNT)))
        self.assertEqual(at_once(self.launch, self.launch), ["", ""])
        self.assert_everything_once(COUNT)

    @pytest.mark.slow
    def test_the_launch_and_somebody_who_comes_meanwhile(self) -> None:
        people = add_people(self.campaign, *numbered(COUNT))
        hand_over(people)

        def join() -> None:
            for person in people:
                join_late(participant=person)

        self.assertEqual(at_once(self.launch, join, self.launch, join), [""] * 4)
        self.assert_everything_once(COUNT)

    @pytest.mark.slow
    def test_two_campaigns_do_not_meet_in_one_mailbox(self) -> None:
        other = add_campaign(self.adam, self.server)
        hand_over(add_people(self.campaign, f"anna@{OLD}"))
        hand_over(add_people(other, "anna@else.example"))

        def launch_other() -> None:
            launch(campaign=other, wishes=Wishes(), actor=self.adam)

        said = at_once(self.launch, launch_other)
        self.assertEqual(sum(map(bool, said)), 1)
        self.assertEqual(Job.objects.count(), 1)


@pytest.mark.slow
class KilledOnTheWayTests(WithMail, TransactionTestCase):
    """From the click to mail in a mailbox that was not there before."""

    def test_every_step_that_reaches_purelymail_happens_once(self) -> None:
        adam = User.objects.create_user("adam@example.org", None, role=Role.ADMIN)
        Domain.objects.create(name=DOMAIN)
        campaign = add_campaign(adam, make_server(self.sandbox, adam))
        hand_over(add_people(campaign, SMALL), password=password_of(SMALL))
        wishes = Wishes(begins_with_plan=False)
        launch(campaign=campaign, wishes=wishes, actor=adam)

        # Before the mailbox is asked for and after, and before the app password goes.
        for step, before in ((1, True), (1, False), (2, True)):
            deed = partial(self.run_until_call, step, before=before)
            self.assertFalse(survives(deed))
            self.come_back()
        self.assertFalse(Run.objects.open().exists())
        AppPassword.objects.update(revoke_after=timezone.now())
        self.assertEqual(revoke_app_passwords(), "1 revoked")

        address = f"{SMALL.partition('@')[0]}@{DOMAIN}"
        run = Run.objects.get()
        self.assertEqual((run.state, run.verdict), ("done", "complete"), run.failure)
        self.assertEqual((Batch.objects.count(), Job.objects.count()), (1, 1))
        self.assertEqual(Mailbox.objects.filter(address=address).count(), 1)
        self.assertIn(address, self.sandbox.account.state.users)
        self.assertEqual(self.app_passwords(address), 0)
        job = Job.objects.get()
        self.assertEqual(HandOver.objects.open().get(), job.hand_over)
        self.assertEqual((job.source_secret, job.destination_secret), ("", ""))

    def run_until_call(self, step: int, *, before: bool) -> None:
        """Carry out the run and die before a call, or after its answer was given."""
        real, passed = PurelymailClient._call, 0

        def call(client: PurelymailClient, *args: Any, **body: Any) -> Any:
            nonlocal passed
            passed += 1
            if passed == step and before:
                die()
            answer = real(client, *args, **body)
            if passed == step:
                die()
            return answer

        with mock.patch.object(PurelymailClient, "_call", call):
            tasks.run_job(Run.objects.get().pk)

    def come_back(self) -> None:
        """Let the time pass after which a silent worker is taken for dead."""
        for creation in Creation.objects.asked():
            creating.find_out(creation=creation)
        past = timezone.now() - timedelta(seconds=1)
        Run.objects.filter(state=Run.State.RUNNING).update(lease_until=past)
        settling.give_back_abandoned()
        now = timezone.now()
        Run.objects.queued().update(handed_at=now, not_before=None, retries=0)
