from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest

from purelymanage.imap.errors import (
    CertificateRefused,
    ConnectionLost,
    ImapError,
    LoginRefused,
    Refused,
    Unreachable,
)
from purelymanage.migrations.engines.base import Phase
from purelymanage.migrations.engines.imapsync.complaints import Kind
from purelymanage.migrations.engines.imapsync.outcome import (
    Interrupted,
    explain,
    hopeless,
)

from .recorded import FOLDER, failure, output, read

WHOLE = ["connecting", "listing", "reading", "copying", "comparing", "done"]
CUT = ["connecting", "listing", "reading", "copying"]
NOT_IN = ["connecting", "done"]

# File: phases, signed in, copied by its lines, messages of both sides at the end,
# kinds of complaints.
FACTS: dict[str, tuple[list[str], set[int], int, tuple[int, int], dict[Kind, int]]] = {
    "first-copy": (WHOLE, {1, 2}, 99, (1500, 1500), {}),
    "automap": (WHOLE, {1, 2}, 99, (1500, 1500), {}),
    "second-run-nothing-to-do": (WHOLE, {1, 2}, 0, (1500, 1500), {}),
    "dry-run": (WHOLE, {1, 2}, 0, (1500, 0), {}),
    "justfoldersizes": ([*CUT[:3], "done"], {1, 2}, 0, (1500, 1500), {}),
    "justlogin": ([*CUT[:2], "done"], {1, 2}, 0, (0, 0), {}),
    "bad-password-source": (NOT_IN, {2}, 0, (0, 0), {Kind.LOGIN: 1}),
    "bad-password-destination": (NOT_IN, {1}, 0, (0, 0), {Kind.LOGIN: 1}),
    "certificate-not-trusted": (NOT_IN, set(), 0, (0, 0), {Kind.CERTIFICATE: 2}),
    "tls-to-a-plain-port": (NOT_IN, set(), 0, (0, 0), {Kind.INSECURE: 2}),
    "connection-refused-source": (NOT_IN, {2}, 0, (0, 0), {Kind.NOBODY: 1}),
    "connection-refused-destination": (NOT_IN, {1}, 0, (0, 0), {Kind.NOBODY: 1}),
    "destination-over-quota": (
        [*CUT, "done"],
        {1, 2},
        130,
        (1500, 0),
        {Kind.QUOTA: 50},
    ),
    "messages-over-size-limit": (
        WHOLE,
        {1, 2},
        97,
        (1500, 1462),
        {Kind.SIZE: 36, Kind.LOST: 2},
    ),
    "killed": (CUT, {1, 2}, 3, (1500, 4), {Kind.SIZE: 1}),
    "stopped-by-sigint": ([*CUT, "done"], {1, 2}, 1, (1500, 0), {}),
    "stopped-by-sigterm": ([*CUT, "done"], {1, 2}, 3, (1500, 1), {}),
}

# File: what ended it, which side it was, its code, whether trying again may help.
ENDS: dict[str, tuple[type[ImapError] | None, str, str, bool]] = {
    "first-copy": (None, "", "", False),
    "automap": (None, "", "", False),
    "second-run-nothing-to-do": (None, "", "", False),
    "dry-run": (None, "", "", False),
    "justfoldersizes": (None, "", "", False),
    "justlogin": (None, "", "", False),
    "bad-password-source": (LoginRefused, "source old.example", "", False),
    "bad-password-destination": (LoginRefused, "destination new", "", False),
    "certificate-not-trusted": (CertificateRefused, "source old", "", False),
    "tls-to-a-plain-port": (Unreachable, "source old.example:993", "", True),
    "connection-refused-source": (Unreachable, "source old", "", True),
    "connection-refused-destination": (Unreachable, "destination new", "", True),
    "destination-over-quota": (Refused, "takes no more", "OVERQUOTA", False),
    # All but two were too large; those two only met a server that hung up.
    "messages-over-size-limit": (ConnectionLost, "destination", "", True),
    "killed": (Interrupted, "from outside", "", True),
    "stopped-by-sigint": (Interrupted, "from outside", "", True),
    "stopped-by-sigterm": (Interrupted, "from outside", "", True),
}


def test_no_recorded_output_is_left_out() -> None:
    if not FOLDER.exists():
        pytest.skip("the recorded outputs are not here")
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(FACTS) == set(ENDS)


@pytest.mark.parametrize("name", FACTS)
def test_its_lines_are_understood(name: str) -> None:
    transcript, _ = read(output(name))
    phases, logged_in, copied, messages, kinds = FACTS[name]
    assert [phase.value for phase in transcript.phases] == phases
    assert transcript.logged_in == logged_in
    assert transcript.messages_copied == copied
    both = [transcript.totals.get((side, "Nb messages"), 0) for side in (1, 2)]
    assert tuple(both) == messages
    assert Counter(it.kind for it in transcript.complaints) == kinds


@pytest.mark.parametrize("name", ENDS)
def test_what_ended_it_is_told_apart(name: str) -> None:
    transcript, _ = read(output(name))
    kind, words, code, retry = ENDS[name]
    found = failure(transcript, name)
    if kind is None:
        assert found is None
        return
    assert type(found) is kind
    assert found is not None
    assert words in found.message
    assert found.retry is retry
    assert getattr(found, "code", "") == code
    assert hopeless(transcript) is (code == "OVERQUOTA")


@pytest.mark.parametrize("name", FACTS)
def test_nobody_is_named_in_the_log(name: str) -> None:
    transcript, log = read(output(name))
    said = "\n".join(log + [it.text for it in transcript.complaints])
    assert "@" not in said
    assert "Subject:" not in said
    assert "Message 1" not in said, "a subject"
    assert "/run/imapsync" not in said


def test_the_folders_of_both_sides_are_sized() -> None:
    transcript, _ = read(output("first-copy"))
    assert len(transcript.before[1]) == len(transcript.after[2]) == 12
    inbox = transcript.before[1]["INBOX"]
    assert (inbox.messages, inbox.bytes, inbox.largest) == (684, 18_846_299, 543_745)
    # Names are those on the wire, whatever stands beside them.
    assert transcript.after[2]["&U9dP4Xux-"].messages == 67
    assert transcript.after[2]["Projects &- Co"].messages == 69
    assert transcript.after[2]['with "quote"'].bytes == 3_330_128
    assert sum(size.bytes for size in transcript.after[2].values()) == 46_150_900
    assert transcript.figures["Messages transferred"] == "1500"
    assert transcript.figures["Folders synced"] == "12/12 synced"
    assert transcript.left == 0


def test_a_dry_run_tells_what_it_would_copy() -> None:
    transcript, _ = read(output("dry-run"))
    # The lines were thinned out when they were recorded.
    assert transcript.would_copy["INBOX"] == 66
    assert transcript.figures["Messages transferred"].startswith("0 (could be 1500")


def test_each_refused_message_is_named() -> None:
    transcript, _ = read(output("messages-over-size-limit"))
    first = transcript.complaints[0]
    assert (first.folder, first.uid, first.size) == ("&U9dP4Xux-", 6, 477_669)
    assert first.arrived_at == datetime(2015, 2, 2, 9, tzinfo=UTC)
    assert explain(first) == (
        "The destination refused it: Mail size is larger than the maximum size allowed "
        "by server configuration"
    )
    # The library shortened some lines, code and all.
    large = [it for it in transcript.complaints if it.kind == Kind.SIZE]
    assert {explain(it) for it in large} == {explain(first)}
    assert {it.folder for it in large} >= {"Projects &- Co", 'with "quote"'}


def test_a_run_that_was_killed_keeps_its_counts() -> None:
    transcript, _ = read(output("killed"))
    assert transcript.exit is None
    assert transcript.phase == Phase.COPYING
    assert dict(transcript.copied) == {"&U9dP4Xux-": 3}
    assert transcript.bytes_copied["&U9dP4Xux-"] == 1559 + 1296 + 856
