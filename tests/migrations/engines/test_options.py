"""What may be chosen about a copy, against real servers."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, date, datetime
from threading import current_thread, main_thread
from typing import Any

import pytest

from purelymanage.imap.messages import day
from purelymanage.migrations.engines.base import (
    BudgetUsed,
    CopyOptions,
    Leave,
    Outcome,
    UpTo,
    Verdict,
)
from purelymanage.migrations.engines.pipeline.engine import PipelineEngine
from purelymanage.migrations.engines.pipeline.flagging import difference
from tests.imap.dovecot import Dovecot, Stored
from tests.imap.mail import message
from tests.migrations.engines.conftest import NewUser
from tests.migrations.engines.copying import counted, silent


class Pair:
    """Two mailboxes to copy between."""

    def __init__(self, old: Dovecot, new: Dovecot, new_user: NewUser) -> None:
        self.old, self.new = old, new
        self.otto, self.anna = new_user(old), new_user(new)

    def seed(self, **folders: list[Stored]) -> None:
        self.old.seed(self.otto, folders)

    def copy(self, *, dry_run: bool = False, **options: Any) -> Outcome:
        return PipelineEngine().copy(
            self.old.account(self.otto),
            self.new.account(self.anna),
            CopyOptions(dry_run=dry_run, **options),
            silent,
        )

    def there(self, name: str = "INBOX") -> list[Stored]:
        return self.new.contents(self.anna, name)


@pytest.fixture
def pair(old: Dovecot, new: Dovecot, new_user: NewUser) -> Pair:
    return Pair(old, new, new_user)


def mail(*numbers: int, **fields: Any) -> list[Stored]:
    return [Stored(message(number), **fields) for number in numbers]


def test_only_chosen_folders_are_touched(pair: Pair) -> None:
    pair.seed(INBOX=mail(1), Work=mail(2), Spam=mail(3), Papierkorb=mail(4))
    outcome = pair.copy(
        folders=("INBOX", "Work", "Spam", "Papierkorb"),
        left_out=("in*",),
        skip_trash=True,
        skip_junk=True,
    )
    assert outcome.verdict == Verdict.COMPLETE
    assert [folder.source for folder in outcome.folders] == ["Work"]
    assert pair.new.folders(pair.anna) == ["INBOX", "INBOX.Work"]


def test_folders_go_where_they_are_wanted(pair: Pair) -> None:
    pair.seed(INBOX=mail(1), Work=mail(2), Sent=mail(3))
    outcome = pair.copy(subfolder="Old", mapping=(("Work", "INBOX"),))
    assert outcome.verdict == Verdict.COMPLETE
    assert counted(pair.there()) == counted(mail(2))
    assert counted(pair.there("INBOX.Old.INBOX")) == counted(mail(1))
    assert counted(pair.there("INBOX.Old.Sent")) == counted(mail(3))
    again = pair.copy(subfolder="Old", mapping=(("Work", "INBOX"),))
    assert (again.messages_copied, again.messages_already_there) == (0, 3)


def test_only_what_arrived_since_a_day_counts(pair: Pair) -> None:
    early = mail(1, date="31-Dec-2019 23:59:59 +0000")
    late = mail(2, date="01-Jan-2020 00:00:01 +0000") + mail(3)
    pair.seed(INBOX=early + late)
    plan = pair.copy(dry_run=True, since=date(2020, 1, 1))
    assert (plan.folders[0].messages, plan.folders[0].to_copy) == (2, 2)
    outcome = pair.copy(since=date(2020, 1, 1))
    assert (outcome.verdict, outcome.messages_copied) == (Verdict.COMPLETE, 2)
    assert counted(pair.there()) == counted(late)
    assert pair.copy().messages_copied == 1


def test_what_is_too_large_is_named_with_its_day(pair: Pair) -> None:
    large = Stored(message(2, 9000), date="03-Mar-2021 04:05:06 +0000")
    pair.seed(INBOX=[*mail(1), large])
    outcome = pair.copy(max_message_bytes=5000)
    assert (outcome.verdict, outcome.messages_copied) == (Verdict.SKIPPED, 1)
    (error,) = outcome.errors
    assert error.arrived_at == datetime(2021, 3, 3, 4, 5, 6, tzinfo=UTC)
    assert outcome.as_dict()["errors"][0]["arrived_at"] == "2021-03-03T04:05:06+00:00"


def test_the_budget_ends_the_copy_and_the_counts_are_true(pair: Pair) -> None:
    pair.seed(INBOX=[Stored(message(1, 6000)), *mail(2, 3, 4)])
    outcome = pair.copy(allowance=UpTo(2000))
    assert isinstance(outcome.failure, BudgetUsed)
    assert outcome.verdict == Verdict.INCOMPLETE
    # The large one waits, what fits goes.
    assert 0 < outcome.bytes_copied <= 2000
    assert outcome.messages_copied == len(pair.there()) == 2
    rest = pair.copy(allowance=UpTo(1_000_000))
    assert (rest.verdict, rest.messages_copied) == (Verdict.COMPLETE, 2)


def test_a_budget_that_suffices_is_no_trouble(pair: Pair) -> None:
    pair.seed(INBOX=mail(1, 2))
    size = sum(len(message(number)) for number in (1, 2))
    assert pair.copy(allowance=UpTo(size)).verdict == Verdict.COMPLETE
    # Nothing is left to be asked for.
    assert pair.copy(allowance=UpTo(0)).verdict == Verdict.COMPLETE


@pytest.mark.slow
def test_messages_pass_evenly(pair: Pair) -> None:
    pair.seed(INBOX=mail(*range(1, 16)))
    began = time.monotonic()
    outcome = pair.copy(messages_a_second=20.0)
    assert outcome.messages_copied == 15
    assert 0.4 < time.monotonic() - began < 3


def test_flags_alone_are_made_equal(pair: Pair) -> None:
    seen = replace(mail(1)[0], flags=frozenset({"\\Seen", "$Work"}))
    plain, gone = mail(2)[0], replace(mail(3)[0], flags=frozenset({"\\Deleted"}))
    pair.seed(INBOX=[seen, plain, gone, *mail(4)], Work=mail(5))
    flagged = replace(plain, flags=frozenset({"\\Flagged", "$Own"}))
    pair.new.seed(pair.anna, {"INBOX": [*mail(1), flagged, *mail(3)]})

    plan = pair.copy(dry_run=True, flags_only=True)
    inbox, work = plan.folders
    assert (inbox.to_copy, inbox.already_there, inbox.bytes_to_copy) == (2, 1, 0)
    assert work.to_copy == 0
    assert counted(pair.there()) == counted([*mail(1), flagged, *mail(3)])

    outcome = pair.copy(flags_only=True)
    assert outcome.verdict == Verdict.COMPLETE
    assert (outcome.messages_copied, outcome.bytes_copied) == (2, 0)
    own = replace(plain, flags=frozenset({"$Own"}))
    assert counted(pair.there()) == counted([seen, own, *mail(3)])
    assert pair.new.folders(pair.anna) == ["INBOX"]
    assert pair.copy(flags_only=True).messages_copied == 0


def test_twins_get_the_flags_of_their_own_twin(pair: Pair) -> None:
    body = b"Message-ID: <same@example.org>\r\n\r\n%s\r\n"
    first = Stored(body % b"one", frozenset({"\\Seen"}))
    second = Stored(body % b"the other", frozenset({"\\Flagged"}))
    pair.seed(INBOX=[first, second])
    bare = [replace(it, flags=frozenset()) for it in (second, first)]
    pair.new.seed(pair.anna, {"INBOX": bare})
    assert pair.copy(flags_only=True).messages_copied == 2
    assert counted(pair.there()) == counted([first, second])


def test_a_plan_can_do_without_a_destination(pair: Pair) -> None:
    pair.seed(INBOX=mail(1, 2), Work=mail(3))
    source = pair.old.account(pair.otto)
    outcome = PipelineEngine().copy(source, None, CopyOptions(), silent)
    assert outcome.verdict == Verdict.COMPLETE
    assert [(it.to_copy, it.exists) for it in outcome.folders] == [
        (2, True),
        (1, False),
    ]
    with pytest.raises(ValueError, match="without a destination"):
        PipelineEngine().copy(source, None, CopyOptions(dry_run=False), silent)


def test_the_day_is_the_one_that_is_written() -> None:
    assert day(b"01-Jan-2020 00:00:01 +1300") == date(2020, 1, 1)
    assert day(b" 9-Feb-2020 23:00:00 -1100") == date(2020, 2, 9)
    assert day(b"31-Feb-2020 00:00:00 +0000") is None
    assert day(b"") is None


@pytest.mark.parametrize(
    ("want", "have", "add", "take"),
    [
        ([b"\\seen"], [b"\\Seen"], [], []),
        ([b"$Label"], [b"$label"], [], []),
        ([b"\\Recent", b"\\Deleted"], [], [], []),
        ([], [b"\\Deleted", b"\\Draft", b"$Junk"], [], [b"\\Draft"]),
        ([b"$A", b"$B"], [], [b"$B"], []),
    ],
)
def test_what_differs(
    want: list[bytes], have: list[bytes], add: list[bytes], take: list[bytes]
) -> None:
    permanent = frozenset({b"\\seen", b"$b", b"$label"})
    assert difference(want, have, permanent) == (frozenset(add), frozenset(take))


class Sparing:
    """Grants little at a time, and sees in which thread it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    def take(self, least: int, most: int) -> Leave:
        assert current_thread() is main_thread()
        self.asked.append((least, most))
        return Leave(least, 0)


def test_leave_is_asked_for_bit_by_bit(pair: Pair) -> None:
    pair.seed(INBOX=mail(1, 2, 3, 4, 5))
    allowance = Sparing()
    outcome = pair.copy(allowance=allowance)
    assert (outcome.verdict, outcome.messages_copied) == (Verdict.COMPLETE, 5)
    assert sum(least for least, _ in allowance.asked) == outcome.bytes_copied
    assert len(allowance.asked) == 5


def test_what_never_fits_into_a_day_is_left_out(pair: Pair) -> None:
    pair.seed(INBOX=[Stored(message(1, 9000)), *mail(2)])
    plan = pair.copy(dry_run=True, most_a_day=5000)
    assert (plan.verdict, plan.messages_failed) == (Verdict.SKIPPED, 1)
    outcome = pair.copy(most_a_day=5000)
    assert (outcome.verdict, outcome.messages_copied) == (Verdict.SKIPPED, 1)
    (error,) = outcome.errors
    assert "larger than all that may be copied in a day" in error.reason
