"""Servers by cases: what arrives is what was there, as the other side itself tells it.

What is right is not written down but tried: a client that is none of our own code puts
the same messages into a second mailbox, one by one, and a copy has to be as good.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from purelymanage.migrations.engines.base import Verdict
from purelymanage.migrations.engines.pipeline import fetching
from tests.imap.courier import Courier
from tests.imap.cyrus import Cyrus
from tests.imap.dovecot import Dovecot
from tests.imap.mailutils import Mailutils
from tests.imap.pymap import Pymap
from tests.migrations.engines.copying import counted
from tests.migrations.engines.fidelity.cases import FOLDERS, LARGE, MESSAGES
from tests.migrations.engines.fidelity.passage import ONE, Box, Passage, Server

pytestmark = pytest.mark.slow

SERVERS: dict[str, type[Server]] = {
    "dovecot": Dovecot,
    "cyrus": Cyrus,
    "courier": Courier,
    "imap4d": Mailutils,
    "pymap": Pymap,
}
PAIRS = [("dovecot", name) for name in SERVERS]
PAIRS += [(name, "dovecot") for name in SERVERS if name != "dovecot"]
# Those that keep each byte of ordinary mail; Courier ends lines in its own way.
EXACT = {"dovecot", "cyrus", "pymap"}
# It dates what it is given by its own clock.
DATELESS = {"imap4d"}
# What they change in ways of their own, or refuse.
ODD = {"NUL bytes", "bare CR", "bare LF"}
# It has no eight-bit letters in headers.
ODD_THERE = {("cyrus", "eight-bit text")}
# It says OK to a message without a header and keeps none of it, and dies of empty ones.
SKIPPED = {"imap4d": ("no header", "an empty message")}


class Passages:
    """Starts servers and copies mailboxes when they are first asked for."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._servers: dict[str, Server] = {}
        self._made: dict[tuple[str, str], Passage] = {}

    def between(self, source: str, destination: str) -> Passage:
        pair = source, destination
        if pair not in self._made:
            skipped = SKIPPED.get(source, ()) + SKIPPED.get(destination, ())
            source_box, destination_box = (Box(self._server(name)) for name in pair)
            self._made[pair] = Passage(source_box, destination_box, skipped).run()
        return self._made[pair]

    def _server(self, name: str) -> Server:
        if name not in self._servers:
            self._servers[name] = self._stack.enter_context(SERVERS[name]())
        return self._servers[name]


@pytest.fixture(scope="module")
def passages() -> Iterator[Passages]:
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setattr(fetching, "STREAM_FROM", LARGE)
        yield Passages(stack)


@pytest.fixture(
    params=PAIRS, ids=lambda pair: f"{pair[0]} to {pair[1]}", scope="module"
)
def pair(request: pytest.FixtureRequest) -> tuple[str, str]:
    found: tuple[str, str] = request.param
    return found


@pytest.fixture
def passage(pair: tuple[str, str], passages: Passages) -> Passage:
    return passages.between(*pair)


@pytest.mark.parametrize("case", MESSAGES)
def test_messages_arrive_as_they_are(
    passage: Passage, pair: tuple[str, str], case: str
) -> None:
    before = passage.before.get(case, [])
    expected = passage.expected.get(case, [])
    arrived = passage.destination.contents((case,)) if case in passage.before else []

    if DATELESS & set(pair):
        arrived, expected = (
            [replace(it, date="") for it in arrived],
            [replace(it, date="") for it in expected],
        )
    assert counted(arrived) == counted(expected)
    is_odd = case in ODD or (pair[1], case) in ODD_THERE
    if pair[1] in EXACT and not is_odd:
        assert {it.body for it in arrived} <= {it.body for it in before}
    # What the server does not take is named, and nothing else is left out
    left = [it for it in passage.outcome.errors if it.folder == passage.shown((case,))]
    assert len(left) == passage.refused.get(case, 0)
    assert len(arrived) == len(before) - len(left)


@pytest.mark.parametrize("case", FOLDERS)
def test_folders_arrive_with_what_is_in_them(passage: Passage, case: str) -> None:
    path = FOLDERS[case]
    if case not in passage.before:
        # This source has no room for such a name.
        assert not passage.source.create(path)
        return
    there = passage.destination.nearest(path, passage.source)
    assert [it.body for it in passage.destination.contents(there)] == [ONE.body]


def test_nothing_else_is_made_at_the_destination(passage: Passage) -> None:
    wanted = {
        passage.destination.wire(passage.destination.nearest(path, passage.source))
        for path in passage.paths()
    }
    levels = passage.destination.folders()
    made = {
        name for name, attributes in levels.items() if "\\noselect" not in attributes
    }
    tried = {passage.destination.wire(path) for path in passage.paths()}
    known = tried | wanted
    above = {name for name in made if any(it.startswith(name) for it in known)}
    there_before = {"INBOX", passage.destination.wire(("Sent",))}
    assert made - above - wanted <= there_before
    assert wanted <= made


def test_subscriptions_follow(passage: Passage) -> None:
    subscribed = passage.destination.folders(subscribed=True)
    assert passage.destination.wire(("Wanted",)) in subscribed
    # Where not every folder is subscribed that is created
    if passage.can_hide:
        assert passage.destination.wire(("Hidden",)) not in subscribed
    assert passage.destination.wire(("Hidden",)) in passage.destination.folders()


def test_well_known_folders_find_their_counterparts(passage: Passage) -> None:
    sent = passage.destination.contents(("Sent",))
    assert [it.body for it in sent] == [ONE.body]
    wire = passage.destination.wire(("Gesendete Objekte",))
    assert wire not in passage.destination.folders()


def test_a_second_run_copies_nothing(passage: Passage) -> None:
    first, again = passage.outcome, passage.again
    assert (again.messages_copied, again.failure) == (0, None)
    assert again.messages_already_there == first.messages_copied
    assert (again.verdict == Verdict.COMPLETE) == (not passage.refused)


def test_marks_follow_and_those_of_the_owner_stay(passage: Passage) -> None:
    later = passage.later
    assert later.messages_copied == 0
    flags = {
        it.body: it.flags & {"\\Seen", "\\Flagged", "\\Answered"}
        for it in passage.destination.contents(("Marks",))
    }
    bodies = [it.body for it in passage.source.contents(("Marks",))]
    assert [flags[body] for body in bodies] == [
        {"\\Answered", "\\Seen"},
        {"\\Flagged"},
        {"\\Flagged", "\\Seen"},
        set(),
    ]
