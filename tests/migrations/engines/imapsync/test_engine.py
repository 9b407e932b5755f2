from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest

from purelymanage.imap.account import Account, Security
from purelymanage.imap.errors import CertificateRefused, ImapError, LoginRefused
from purelymanage.migrations.engines import get_engine
from purelymanage.migrations.engines.base import (
    BudgetUsed,
    CopyOptions,
    Outcome,
    Phase,
    Progress,
    Report,
    UpTo,
    Verdict,
)
from purelymanage.migrations.engines.imapsync.command import Errand
from purelymanage.migrations.engines.imapsync.engine import ImapsyncEngine, _Copying
from tests.imap.dovecot import Dovecot, Stored
from tests.imap.mail import mailbox, message
from tests.migrations.engines.conftest import NewUser
from tests.migrations.engines.copying import counted, silent

pytestmark = pytest.mark.slow

_NUMBERS = itertools.count(1)
ODD = 'hünter 2: a "secret" \\ of ours '


@pytest.fixture(scope="module")
def mail() -> dict[str, list[Stored]]:
    return mailbox(60, average=900)


@pytest.fixture(scope="module")
def source(old: Dovecot, mail: dict[str, list[Stored]]) -> Account:
    """A filled mailbox that is only read, so that all may share it."""
    old.add_user("shared-source", ODD)
    old.seed("shared-source", mail)
    return old.account("shared-source")


@pytest.fixture
def destination(new: Dovecot, new_user: NewUser) -> Account:
    return new.account(new_user(new))


def copy(
    engine: ImapsyncEngine,
    source: Account,
    destination: Account,
    report: Report = silent,
    **options: object,
) -> Outcome:
    wanted = CopyOptions(dry_run=False, read_timeout=20)
    wanted = replace(wanted, **options)  # type: ignore[arg-type]
    return engine.copy(source, destination, wanted, report)


def pipeline(source: Account, destination: Account, **options: object) -> Outcome:
    wanted = replace(CopyOptions(dry_run=False), **options)  # type: ignore[arg-type]
    return get_engine("pipeline").copy(source, destination, wanted, silent)


def assert_same(outcome: Outcome, new: Dovecot, user: str, old: Dovecot) -> None:
    for folder in outcome.folders:
        there = counted(new.contents(user, folder.destination))
        assert there == counted(old.contents("shared-source", folder.source))


def test_a_first_copy_and_the_next_one(
    engine: ImapsyncEngine,
    mail: dict[str, list[Stored]],
    source: Account,
    destination: Account,
    old: Dovecot,
    new: Dovecot,
) -> None:
    snapshots: list[Progress] = []
    outcome = copy(engine, source, destination, snapshots.append)
    assert outcome.failure is None
    assert (outcome.verdict, outcome.messages_copied) == (Verdict.COMPLETE, 60)
    assert outcome.messages_already_there == outcome.messages_failed == 0
    assert len(outcome.folders) == 12
    assert_same(outcome, new, destination.user, old)
    # Nothing was read or changed at the source.
    assert counted(old.contents("shared-source", "INBOX")) == counted(mail["INBOX"])
    size = sum(len(it.body) for it in old.contents("shared-source", "INBOX"))
    inbox = outcome.folders[0]
    assert (inbox.source, inbox.bytes_copied, inbox.bytes) == ("INBOX", size, size)

    phases = [phase for phase, _ in itertools.groupby(it.phase for it in snapshots)]
    assert phases[-3:] == [Phase.COPYING, Phase.COMPARING, Phase.DONE]
    log = "\n".join(line for it in snapshots for line in it.log)
    assert "Folder 1/12" in log
    assert ODD.strip() not in log
    assert source.user not in log

    again = copy(engine, source, destination)
    assert (again.verdict, again.messages_copied) == (Verdict.COMPLETE, 0)
    assert again.messages_already_there == 60


def test_a_plan_is_tried_out_and_writes_nothing(
    engine: ImapsyncEngine, source: Account, destination: Account, new: Dovecot
) -> None:
    log: list[str] = []
    outcome = copy(
        engine, source, destination, lambda it: log.extend(it.log), dry_run=True
    )
    assert outcome.dry_run
    assert (outcome.verdict, outcome.failure) == (Verdict.COMPLETE, None)
    assert sum(folder.to_copy for folder in outcome.folders) == 60
    assert any("--justlogin" in line for line in log)
    assert new.folders(destination.user) == ["INBOX"]


@pytest.mark.parametrize("first", ["imapsync", "pipeline"])
def test_each_engine_goes_on_where_the_other_ended(
    engine: ImapsyncEngine,
    source: Account,
    destination: Account,
    old: Dovecot,
    new: Dovecot,
    first: str,
) -> None:
    some = ("INBOX", "Sent", "Projekte/Übergröße")
    if first == "imapsync":
        copy(engine, source, destination, folders=some)
        outcome = pipeline(source, destination)
    else:
        pipeline(source, destination, folders=some)
        outcome = copy(engine, source, destination)
    assert outcome.verdict == Verdict.COMPLETE
    assert outcome.messages_already_there > 10
    assert outcome.messages_copied + outcome.messages_already_there == 60
    assert_same(outcome, new, destination.user, old)


def test_twins_are_copied_and_what_has_no_name_is_named(
    engine: ImapsyncEngine, old: Dovecot, new_user: NewUser, destination: Account
) -> None:
    user = new_user(old)
    nameless = b"From: anna@example.org\r\nSubject: no name\r\n\r\nHello\r\n"
    twins = [Stored(message(1)), Stored(message(1)), Stored(message(2))]
    old.seed(user, {"INBOX": [*twins, Stored(nameless)], "a=b": [Stored(message(3))]})

    outcome = copy(engine, old.account(user), destination)
    assert outcome.verdict == Verdict.INCOMPLETE
    assert outcome.messages_copied == 3
    unnamed, equals = outcome.errors
    assert (unnamed.folder, unnamed.uid, unnamed.size) == ("INBOX", 4, len(nameless))
    assert "without Message-ID" in unnamed.reason
    assert unnamed.arrived_at is not None
    assert (equals.folder, equals.uid) == ("a=b", 0)
    assert "equals sign" in equals.reason

    without = copy(engine, old.account(user), destination, left_out=("a=*",))
    assert (without.verdict, without.messages_failed) == (Verdict.SKIPPED, 1)
    assert without.messages_copied == 0
    rest = pipeline(old.account(user), destination)
    assert (rest.verdict, rest.messages_copied) == (Verdict.COMPLETE, 2)


def test_options_are_those_of_the_pipeline(
    engine: ImapsyncEngine, old: Dovecot, new: Dovecot, new_user: NewUser
) -> None:
    user, target = new_user(old), new.account(new_user(new))
    dates = ("28-Feb-2020 23:59:59 +0000", "01-Mar-2020 00:00:01 +0000")
    old.seed(
        user,
        {
            "INBOX": [Stored(message(n), date=d) for n, d in enumerate(dates)],
            "Large": [Stored(message(5, 9000)), Stored(message(6))],
            "Trash": [Stored(message(7))],
        },
    )
    outcome = copy(
        engine,
        old.account(user),
        target,
        since=date(2020, 2, 1),
        skip_trash=True,
        subfolder="Old mail",
        max_message_bytes=5000,
        messages_a_second=50,
    )
    assert (outcome.verdict, outcome.messages_copied) == (Verdict.SKIPPED, 3)
    assert [error.folder for error in outcome.errors] == ["Large"]

    later = copy(
        engine, old.account(user), target, since=date(2020, 3, 1), folders=("INBOX",)
    )
    assert (later.verdict, later.messages_copied) == (Verdict.COMPLETE, 1)
    assert len(new.contents(target.user, "INBOX")) == 1


def test_a_budget_is_never_exceeded(
    engine: ImapsyncEngine, old: Dovecot, new: Dovecot, new_user: NewUser
) -> None:
    user, target = new_user(old), new.account(new_user(new))
    sizes = (40_000, 2_000, 2_000, 2_000, 9_000)
    mail = [Stored(message(n, size)) for n, size in enumerate(sizes)]
    old.seed(user, {"INBOX": mail})

    outcome = copy(engine, old.account(user), target, allowance=UpTo(10_000))
    assert isinstance(outcome.failure, BudgetUsed)
    assert outcome.verdict == Verdict.INCOMPLETE
    assert outcome.messages_copied >= 3
    there = new.contents(target.user, "INBOX")
    assert sum(len(it.body) for it in there) == outcome.bytes_copied <= 10_000

    nothing = copy(engine, old.account(user), target, allowance=UpTo(100))
    assert isinstance(nothing.failure, BudgetUsed)
    rest = copy(engine, old.account(user), target, allowance=UpTo(100_000))
    assert (rest.verdict, rest.failure) == (Verdict.COMPLETE, None)


def test_what_holds_everything_gives_only_the_rest(
    engine: ImapsyncEngine, old: Dovecot, new: Dovecot, new_user: NewUser
) -> None:
    anna, target = new_user(old), new.account(new_user(new))
    filed = [Stored(message(n)) for n in range(4)]
    loose = [Stored(message(n)) for n in range(10, 13)]
    old.seed(anna, {"INBOX": filed[:2], "Work": filed[2:]})
    old.seed(anna, {"[Gmail]/All Mail": filed + loose})
    outcome = copy(engine, old.account(anna), target)
    assert (outcome.verdict, outcome.messages_copied) == (Verdict.COMPLETE, 7)
    (everything,) = [it for it in outcome.folders if "All Mail" in it.source]
    there = new.contents(target.user, everything.destination)
    assert counted(there) == counted(loose)


# What only imapsync itself is asked: our own look would have ended the copy before.


def trial(
    engine: ImapsyncEngine, source: Account, destination: Account
) -> ImapError | None:
    accounts = (
        replace(source, side="source"),
        replace(destination, side="destination"),
    )
    options = CopyOptions(read_timeout=10)
    copying = _Copying(engine._program, accounts, options, silent)
    errand = Errand(
        source=accounts[0],
        destination=accounts[1],
        options=options,
        only_log_in=True,
    )
    return copying._start(errand)


def test_it_gets_in_by_each_kind_of_encryption(
    engine: ImapsyncEngine, source: Account, destination: Account, new: Dovecot
) -> None:
    starttls = new.account(destination.user, security=Security.STARTTLS)
    assert trial(engine, source, starttls) is None
    assert trial(engine, replace(source, host="localhost"), destination) is None


@pytest.mark.parametrize("side", ["source", "destination"])
def test_a_wrong_password_is_that_of_one_side(
    engine: ImapsyncEngine, source: Account, destination: Account, side: str
) -> None:
    wrong = {"source": source, "destination": destination}
    wrong[side] = replace(wrong[side], password="wrong")
    failure = trial(engine, wrong["source"], wrong["destination"])
    assert isinstance(failure, LoginRefused)
    assert f"The {side} 127.0.0.1" in failure.message
    outcome = copy(engine, wrong["source"], wrong["destination"])
    assert isinstance(outcome.failure, LoginRefused)
    assert side in outcome.failure.message


@pytest.fixture(params=[Security.TLS, Security.STARTTLS])
def secured(
    request: pytest.FixtureRequest, new: Dovecot, destination: Account
) -> Iterator[Account]:
    yield new.account(destination.user, security=request.param)


def test_it_trusts_nobody_we_do_not_trust(
    engine: ImapsyncEngine, source: Account, secured: Account
) -> None:
    failure = trial(engine, source, replace(secured, ca_file=None))
    assert isinstance(failure, CertificateRefused)
    assert "destination" in failure.message
    # Signed by the right authority, but made for another name of the same machine.
    failure = trial(engine, source, replace(secured, host="127.1"))
    assert isinstance(failure, CertificateRefused)
    assert "destination 127.1" in failure.message
    excused = replace(secured, ca_file=None, verify_certificate=False)
    assert trial(engine, source, excused) is None
