from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from purelymanage.migrations.engines.base import CopyOptions
from purelymanage.migrations.engines.pipeline import verifying
from purelymanage.migrations.engines.pipeline.verifying import Comparison, verify
from tests.imap.dovecot import Dovecot, Stored
from tests.imap.mail import message
from tests.migrations.engines.conftest import NewUser
from tests.migrations.engines.copying import copy

LARGE = 256 * 1024
MAIL = [Stored(message(number)) for number in range(20)]


def compare(old: Dovecot, otto: str, new: Dovecot, anna: str) -> Comparison:
    lines: list[str] = []
    found = verify(old.account(otto), new.account(anna), CopyOptions(), lines.append)
    assert lines
    return found


def test_a_copy_is_equal_and_more_at_the_destination_is_nothing_wrong(
    old: Dovecot, new: Dovecot, new_user: NewUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "STREAM_FROM", LARGE)
    otto, anna = new_user(old), new_user(new)
    large = Stored(b"Message-ID: <large>\r\n\r\n" + b"x" * (2 * LARGE))
    old.seed(otto, {"INBOX": [*MAIL, MAIL[0], large], "Büro": MAIL[:3], "Empty": []})
    copy(old.account(otto), new.account(anna))
    new.seed(anna, {"INBOX": [Stored(message(99))]})

    found = compare(old, otto, new, anna)

    assert found.is_equal, found.differences
    assert (found.messages, found.equal, found.only_there) == (25, 25, 1)


@pytest.mark.parametrize("in_json", [True, False])
def test_the_command_prints_what_differs(
    old: Dovecot, new: Dovecot, new_user: NewUser, tmp_path: Path, *, in_json: bool
) -> None:
    otto, anna = new_user(old), new_user(new)
    old.seed(otto, {"INBOX": MAIL[:2]})
    new.seed(anna, {"INBOX": MAIL[:1]})
    words = ["--verify", "--ca-file", old.ca_file]
    for side, server, user in (("source", old, otto), ("destination", new, anna)):
        (tmp_path / side).write_text(server.users[user])
        words += [f"--{side}", f"imap://127.0.0.1:{server.port}"]
        words += [f"--{side}-user", user]
        words += [f"--{side}-password-file", str(tmp_path / side)]
    out = StringIO()
    with pytest.raises(SystemExit) as caught:
        call_command("copy_mailbox", *words, *(["--json"] * in_json), stdout=out)

    assert caught.value.code == 1
    if in_json:
        found = json.loads(out.getvalue())
        assert (found["verdict"], found["equal"]) == ("different", 1)
        assert [it["uid"] for it in found["differences"]] == [2]
    else:
        assert "INBOX, message 2 " in out.getvalue()
        assert "1 of 2 messages are equal, 1 differ" in out.getvalue()


def test_each_message_that_differs_is_named(
    old: Dovecot, new: Dovecot, new_user: NewUser
) -> None:
    otto, anna = new_user(old), new_user(new)
    altered = Stored(MAIL[1].body + b"and more\r\n")
    old.seed(otto, {"INBOX": [*MAIL[:4], MAIL[0]], "Only here": MAIL[:2]})
    new.seed(anna, {"INBOX": [MAIL[0], altered, MAIL[3]]})

    found = compare(old, otto, new, anna)

    reasons = [(it.folder, it.uid, it.reason.split(":")[0]) for it in found.differences]
    assert reasons == [
        ("INBOX", 2, "It differs"),
        ("INBOX", 3, "It is not at the destination."),
        ("INBOX", 5, "It is not at the destination."),
        ("Only here", 0, "It is not at the destination, or cannot be read there."),
    ]
    assert (found.messages, found.equal, found.only_there) == (7, 2, 1)
    assert found.as_dict()["verdict"] == "different"
