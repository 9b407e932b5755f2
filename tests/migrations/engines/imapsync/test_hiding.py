from __future__ import annotations

import base64
import json
import time

import pytest

from purelymanage.migrations.engines.imapsync.hiding import Hider
from purelymanage.migrations.engines.imapsync.parsing import LONGEST_LINE, Transcript

WORDS = ["Kanarienvogel-7f3e", 'it\'s "two" \\ Kanarienvögel', "a  b+c/d?e=f"]


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("before", range(4))
def test_a_password_is_hidden_within_base64(word: str, before: int) -> None:
    raw = b"user"[:before] + word.encode() + b"\0rest"
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        said = f"+ {encode(raw).decode()} sent"
        assert Hider([word]).hide(said) == "+ … sent"


@pytest.mark.parametrize("word", WORDS)
def test_a_password_is_hidden_in_each_spelling(word: str) -> None:
    quoted = word.replace("\\", "\\\\").replace('"', '\\"')
    said = f"{word}|{json.dumps(word)}|{word!r}|{quoted}|{' '.join(word.split())}"
    shown = Hider([word, "another"]).hide(said)
    for part in ("Kanarien", "two", "b+c"):
        assert part not in shown


def test_what_is_no_password_stays() -> None:
    said = "Host1: success login, ab and QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="
    assert Hider(["Kanarienvogel", "ab", ""]).hide(said) == said
    assert Hider([]).hide(said) == said


@pytest.mark.slow
def test_it_is_hidden_before_a_line_is_cut() -> None:
    word = WORDS[0]
    for ahead in range(LONGEST_LINE // 2 - len(word), LONGEST_LINE // 2 + 1):
        line = "x" * ahead + word + "x" * LONGEST_LINE
        shown = Transcript((), (), [word]).feed(line)
        assert "Kan" not in shown
        assert "7f3e" not in shown


LONG_LINES = [
    "x" * 1_000_000 + WORDS[0],
    "a" + "=" * 1_000_000,
    WORDS[0] * 50_000,
]


@pytest.mark.parametrize("line", LONG_LINES)
def test_a_long_line_with_passwords(line: str) -> None:
    began = time.process_time()
    assert "Kan" not in Hider(WORDS).hide(line)
    # Milliseconds. With a square in it, minutes on any machine.
    assert time.process_time() - began < 10
