from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purelymanage.imap.errors import ImapError
from purelymanage.migrations.engines.base import Phase
from purelymanage.migrations.engines.imapsync.complaints import Kind, redact
from purelymanage.migrations.engines.imapsync.outcome import (
    Interrupted,
    NotRun,
    find_failure,
)
from purelymanage.migrations.engines.imapsync.parsing import Transcript

from .recorded import ACCOUNTS, output, read

STATUS = st.integers(-31, 255)
# Beginnings of lines that mean something, to get further than pure noise would.
BEGINNINGS = st.sampled_from(
    [
        "",
        "msg INBOX/",
        "- msg INBOX/1 {",
        "- msg INBOX/1 {2} could not append ( Subject:[",
        "- msg INBOX/1 {2} S[3] F[] I[",
        "Err 1/1: ",
        "Host1 failure: Error login on [",
        "Host1 folder 1/2 [",
        "Folder 1/2 [",
        "ETA: ",
        "Exiting with return value ",
        "++++ Looping on each one of ",
        "Could not create folder [",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(BEGINNINGS, st.text(max_size=80)), max_size=12), STATUS)
def test_whatever_is_printed_is_survived(
    lines: list[tuple[str, str]], status: int
) -> None:
    transcript = Transcript(["INBOX", "a/b"], ["otto@example.org"])
    for beginning, text in lines:
        shown = transcript.feed(beginning + text)
        shown.encode("utf-8")
        assert len(shown) <= 300
    failure = find_failure(transcript, status, ACCOUNTS)
    assert failure is None or isinstance(failure, ImapError)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_an_output_cut_anywhere_is_no_success(data: st.DataObject) -> None:
    lines = output("first-copy")
    text = "\n".join(lines[:-3])
    cut = text[: data.draw(st.integers(0, len(text) - 60))]
    transcript, _ = read(cut.splitlines())
    assert transcript.phase != Phase.DONE
    assert isinstance(find_failure(transcript, -9, ACCOUNTS), Interrupted)
    assert isinstance(find_failure(transcript, 0, ACCOUNTS), NotRun)
    assert transcript.messages_copied <= 99


@pytest.mark.parametrize(
    ("name", "status"), [("first-copy", -9), ("second-run-nothing-to-do", -11)]
)
def test_the_system_s_word_counts_more_than_the_last_line(
    name: str, status: int
) -> None:
    transcript, _ = read(output(name))
    assert isinstance(find_failure(transcript, status, ACCOUNTS), Interrupted)


LONG_LINES = [
    "Host1 failure: Error login on [" + "] with user [] auth [X]: " * 3000,
    "Host1 failure: Error login on [" + "] with user [" * 5000,
    "- msg INBOX/1 {2} could not append ( Subject:[" + "] ) to folder " * 5000,
    "Could not create folder [" + "] from [" * 8000,
    "Host1 folder 1/2 [" + "] = [" * 10000,
    "msg " + "/1 {2} " * 9000 + "copied to",
]


@pytest.mark.parametrize("line", LONG_LINES)
def test_a_line_made_to_take_long(line: str) -> None:
    transcript = Transcript(["INBOX"])
    began = time.process_time()
    # Readers see its two ends alone, so one would not tell of much.
    for _ in range(20):
        transcript.feed(line)
    assert time.process_time() - began < 10


def test_a_subject_cannot_pass_for_an_answer() -> None:
    transcript = Transcript(["INBOX"])
    shown = transcript.feed(
        '- msg INBOX/7 {10} could not append ( Subject:[x], Date:["01-Jan-2000 '
        "00:00:00 +0000\"], Size:[1], Flags:[] ) to folder INBOX: Error sending 'x': "
        '1 NO [OVERQUOTA] full], Date:["02-Feb-2015 09:00:00 +0000"], Size:[10], '
        "Flags:[\\Seen] ) to folder INBOX: Error sending '24 APPEND INBOX () "
        "{10}': 24 NO [CANNOT] Not for otto@example.org (0.001 + 0.000 secs)."
    )
    (complaint,) = transcript.complaints
    assert (complaint.kind, complaint.code) == (Kind.REFUSED, "CANNOT")
    assert complaint.text == "Not for …"
    assert complaint.arrived_at is not None
    assert complaint.arrived_at.year == 2015
    assert "x]" not in shown


def test_names_with_the_signs_of_the_log_are_told_apart() -> None:
    odd = "a] -> [b/3 {5} copied to c"
    transcript = Transcript(["a", odd])
    transcript.feed(f"Folder 1/2 [{odd}]     -> [x]")
    assert transcript.current == odd
    transcript.feed(f"msg {odd}/12 {{100}}      copied to x/9     1 msgs/s")
    transcript.feed("msg unheard of/1 {100}      copied to x/9     1 msgs/s")
    assert dict(transcript.bytes_copied) == {odd: 100}


def test_an_error_that_is_listed_again_counts_once() -> None:
    transcript = Transcript(["INBOX"])
    line = "- msg INBOX/7 {0} S[812] F[] I[] could not be fetched: 5 NO no such message"
    transcript.feed(line)
    transcript.feed(f"Err 1/1: {line}")
    (complaint,) = transcript.complaints
    assert (complaint.kind, complaint.size) == (Kind.UNREADABLE, 812)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("Could not create folder [x] from [y]: 7 NO [OVERQUOTA] full", Kind.QUOTA),
        ("Could not create folder [x] from [y]: 7 NO Invalid name", Kind.FOLDER),
        ("Host1 folder y: Could not select: 7 NO [NOPERM] denied", Kind.FOLDER),
        ("Maximum bytes transferred reached, 423 >= 100, ending sync", Kind.BUDGET),
        ("Host1: y/5 size 80 ignored (no wanted headers so we", Kind.NAMELESS),
        ("- msg y/5 {80} S[80] F[] I[] could not be fetched: timeout", Kind.LOST),
        ("- msg y/5 {80} S[80] F[] I[] could not be fetched: ", Kind.LOST),
        (
            "Host2 failure: Error login on [h] with user [u] auth [LOGIN]: 2 NO "
            "[UNAVAILABLE] later",
            Kind.PASSING,
        ),
        (
            "Host2 failure: Error login on [h] with user [u] auth [LOGIN]: timeout",
            Kind.LOST,
        ),
        (
            "Host1 failure: can not open imap connection on host1 [h] with user [u]: "
            "Unable to connect to h: getaddrinfo: Name or service not known",
            Kind.NO_NAME,
        ),
    ],
)
def test_complaints_are_sorted_by_what_they_mean(line: str, kind: Kind) -> None:
    transcript = Transcript(["y"])
    transcript.feed("Folder 1/1 [y]  -> [x]")
    transcript.feed(line)
    (complaint,) = transcript.complaints
    assert complaint.kind == kind


def test_a_second_way_in_makes_up_for_the_first() -> None:
    transcript = Transcript()
    for side in (1, 2):
        login = f"on [h] with user [u{side}] auth"
        transcript.feed(f"Host{side} failure: Error login {login} [PLAIN]: 2 NO no")
        transcript.feed(f"Host{side}: success login {login} [LOGIN] after [PLAIN]")
    transcript.feed("Exiting with return value 161 (X) 2/50 nb_errors/max_errors PID 1")
    assert find_failure(transcript, 161, ACCOUNTS) is None


def test_a_part_that_is_not_installed_is_named() -> None:
    transcript = Transcript()
    transcript.feed("Can't locate Unicode/String.pm in @INC (you may need to install")
    failure = find_failure(transcript, 2, ACCOUNTS)
    assert isinstance(failure, NotRun)
    assert failure.technical == "Unicode/String.pm"


def test_words_for_people_hold_nobody_s_name() -> None:
    assert redact("to <anna@example.org>, user [otto], Subject: hello") == (
        "to <…>, user […],…"
    )
    assert redact("half a \udcff character").encode("utf-8")
