from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from purelymanage.figures import in_bytes, thin
from purelymanage.migrations.engines.base import FolderProgress, FolderState
from purelymanage.migrations.management.commands.copy_mailbox import Command as Help
from purelymanage.migrations.management.commands.copy_mailbox import _table
from tests.imap.dovecot import Dovecot, Stored
from tests.imap.mail import message
from tests.imap.proxy import Proxy

ROOT = Path(__file__).parents[2]
PASSWORD = 'hünter 2: a "secret" \\ of ours '
OTHER = "the other one"
# Nothing answers there, and nothing may be asked.
ENVIRONMENT = {
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
    "DJANGO_SETTINGS_MODULE": "tests.settings",
    "PATH": os.environ.get("PATH", ""),
}
MAIL = [Stored(message(n), frozenset({"\\Seen"})) for n in range(25)]


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with Dovecot() as dovecot:
        dovecot.add_user("otto", PASSWORD)
        dovecot.add_user("anna", OTHER)
        dovecot.add_user("paul", OTHER)
        dovecot.add_user("rosa", OTHER)
        dovecot.seed("otto", {"INBOX": MAIL, "Büro": MAIL[:5]})
        yield dovecot


class Command:
    """A command line in the making."""

    def __init__(self, server: Dovecot, folder: Path, destination: str) -> None:
        (folder / "source").write_text(PASSWORD + "\n", encoding="utf-8")
        (folder / "destination").write_text(OTHER)
        self.options = {
            "--source": f"imaps://127.0.0.1:{server.tls_port}",
            "--source-user": "otto",
            "--source-password-file": str(folder / "source"),
            "--destination": f"imap+starttls://localhost:{server.port}",
            "--destination-user": destination,
            "--destination-password-file": str(folder / "destination"),
            "--ca-file": server.ca_file,
        }

    def start(self, *more: str) -> subprocess.Popen[str]:
        words = [word for pair in self.options.items() for word in pair]
        return subprocess.Popen(
            [sys.executable, "-m", "django", "copy_mailbox", *words, *more],
            cwd=ROOT,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *more: str) -> tuple[int, str, str]:
        process = self.start(*more)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err


@pytest.fixture
def command(server: Dovecot, tmp_path: Path) -> Command:
    return Command(server, tmp_path, "anna")


@pytest.mark.slow
def test_it_copies_without_a_database(command: Command, server: Dovecot) -> None:
    status, out, err = command.run("--dry-run")
    assert (status, err) == (0, "")
    size = in_bytes(sum(len(m.body) for m in MAIL + MAIL[:5]))
    assert f"30 messages ({size}) would be copied." in out
    assert "reading" not in out.lower().splitlines()
    assert server.folders("anna") == ["INBOX"]

    status, out, err = command.run("--json")
    assert (status, err) == (0, "")
    result = json.loads(out)
    assert result["verdict"] == "complete"
    assert result["messages_copied"] == 30
    assert result["messages_already_there"] == result["messages_failed"] == 0
    assert result["bytes_copied"] == sum(len(m.body) for m in MAIL + MAIL[:5])
    assert result["errors"] == []
    assert result["seconds"] > 0
    counts = [
        (f["source"], f["destination"], f["messages"], f["already_there"], f["copied"])
        for f in result["folders"]
    ]
    assert counts == [("INBOX", "INBOX", 25, 0, 25), ("Büro", "Büro", 5, 0, 5)]
    assert [f["exists"] for f in result["folders"]] == [True, False]
    assert [f["failed"] for f in result["folders"]] == [0, 0]

    status, out, err = command.run()
    assert (status, err) == (0, "")
    assert "INBOX: 25 messages, 25 already there, 0 to copy" in out
    assert "Complete: every message of the source is at the destination." in out
    assert len(server.contents("anna", "INBOX")) == 25
    for secret in (PASSWORD.strip(), OTHER):
        assert secret not in out


@pytest.mark.slow
def test_a_signal_stops_it_with_true_counts(server: Dovecot, tmp_path: Path) -> None:
    command = Command(server, tmp_path, "paul")

    def slow(data: bytes) -> bytes:
        return data.replace(b" LITERAL+", b"")

    with Proxy(server.port, delay=0.2, rewrite=slow, watch=b" APPEND ") as proxy:
        command.options["--destination"] = f"imap://127.0.0.1:{proxy.port}"
        process = command.start("--json")
        assert proxy.seen.wait(20)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=10)

    result = json.loads(out)
    assert process.returncode == 1
    assert result["verdict"] == "stopped"
    there = [
        m for name in server.folders("paul") for m in server.contents("paul", name)
    ]
    assert result["messages_copied"] == len(there) < 30


def _options(command: Command, **changes: str | bool) -> dict[str, Any]:
    return {
        name.removeprefix("--").replace("-", "_"): value
        for name, value in (command.options | changes).items()
    }


def _ending(command: Command, **changes: str | bool) -> tuple[str, str]:
    """Run it in this process until it fails, and return what it printed."""
    out, err = StringIO(), StringIO()
    options = _options(command, **changes)
    with pytest.raises(SystemExit) as caught:
        call_command("copy_mailbox", stdout=out, stderr=err, **options)
    assert caught.value.code == 1
    return out.getvalue(), err.getvalue()


def _call(command: Command, **changes: str | bool) -> str:
    """Run it in this process and return the one sentence it ends with."""
    with pytest.raises(CommandError) as caught:
        call_command("copy_mailbox", **_options(command, **changes))
    assert caught.value.returncode == 2
    return str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.org",
        "https://mail.example.org",
        "imaps://",
        "imaps://mail.example.org:port",
        "imaps://mail.example.org:99999",
        "imaps://user:secret@mail.example.org",
        "imaps://mail.example.org/INBOX",
        "imaps://[mail.example.org",
    ],
)
def test_an_address_that_is_none_is_refused(command: Command, url: str) -> None:
    sentence = _call(command, **{"--source": url})
    assert sentence == (
        "--source must look like imaps://host:port, without user and password."
    )


def test_a_password_file_is_looked_at_closely(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "password"
    option = {"--destination-password-file": str(file)}

    assert _call(command, **option) == (
        f"The password file {file} cannot be read: No such file or directory."
    )
    file.write_text("")
    assert _call(command, **option) == f"The password file {file} is empty."
    for bad in ("two\nlines\n", "nul\0byte", "return\rinside"):
        file.write_bytes(bad.encode())
        assert _call(command, **option) == (
            f"The password in {file} may be one line of text only."
        )
    file.write_bytes(b"\xff\xfe")
    assert _call(command, **option) == f"The password file {file} is not UTF-8 text."


def test_a_mailbox_is_not_copied_into_itself(command: Command) -> None:
    same = {
        "--destination": command.options["--source"],
        "--destination-user": "Otto",
    }
    assert _call(command, **same) == (
        "The source and the destination are the same mailbox."
    )


def test_engines_that_are_not_there_are_named(command: Command) -> None:
    assert _call(command, **{"--engine": "imapsync"}) == (
        "imapsync is not installed here. The README says how to get it, and the engine "
        "pipeline needs nothing."
    )
    assert _call(command, **{"--engine": "rsync"}) == "There is no engine named rsync."


def test_its_options_are_explained() -> None:
    parser = Help().create_parser("manage.py", "copy_mailbox")
    unexplained = [action.dest for action in parser._actions if not action.help]
    assert unexplained == []
    with pytest.raises(CommandError, match="invalid choice: 'rsync'"):
        parser.parse_args(["--engine", "rsync"])


def test_counts_are_written_as_on_the_pages() -> None:
    known = FolderProgress(
        "INBOX", "INBOX", messages=18_204, to_copy=1_200, copied=17, exists=True
    )
    empty = FolderProgress("Junk", "Junk", state=FolderState.DONE)
    unread = FolderProgress("Sent", "Sent", messages=3, state=FolderState.READING)
    plan = [line.split() for line in _table([known, empty, unread], dry_run=True)]
    assert plan == [
        ["Folder", "messages", "there", "to", "copy", "failed", "into"],
        ["INBOX", *thin(18_204).split(), "0", *thin(1_200).split(), "0", "INBOX"],
        ["Junk", "0", "0", "0", "0", "Junk", "(new)"],
        ["Sent", "-", "-", "-", "-", "Sent", "(new)"],
    ]


@pytest.mark.slow
def test_a_wrong_password_is_one_sentence(
    command: Command, server: Dovecot, tmp_path: Path
) -> None:
    (tmp_path / "source").write_text("wrong")
    status, _, err = command.run()
    assert status == 1
    place = f"127.0.0.1:{server.tls_port}"
    assert f"The source {place} refused this password for otto." in err
    assert "Traceback" not in err


@pytest.mark.slow
def test_what_ended_the_copy_is_among_the_errors(
    command: Command, tmp_path: Path
) -> None:
    (tmp_path / "source").write_text("wrong")
    out, err = _ending(command, **{"--json": True})

    result = json.loads(out)
    assert (result["verdict"], result["folders"], err) == ("incomplete", [], "")
    assert "refused this password for otto" in result["failure"]
    assert result["errors"] == [
        {
            "folder": "",
            "uid": 0,
            "size": 0,
            "reason": result["failure"],
            "arrived_at": None,
        }
    ]


@pytest.mark.slow
def test_a_password_may_come_through_a_descriptor(command: Command) -> None:
    reader, writer = os.pipe()
    os.write(writer, (PASSWORD + "\n").encode())
    os.close(writer)
    words = [word for pair in command.options.items() for word in pair]
    words[words.index("--source-password-file") + 1] = f"/dev/fd/{reader}"
    done = subprocess.run(
        [sys.executable, "-m", "django", "copy_mailbox", *words, "--dry-run"],
        cwd=ROOT,
        env=ENVIRONMENT,
        pass_fds=[reader],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(reader)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize("dry_run", [True, False])
def test_nothing_is_counted_that_had_not_begun(
    command: Command, tmp_path: Path, *, dry_run: bool
) -> None:
    (tmp_path / "destination").write_text("wrong")
    out, err = _ending(command, **{"--dry-run": dry_run})
    assert "The destination localhost:" in err
    for untrue in ("Incomplete", "copied", "not complete"):
        assert untrue not in out


def test_a_copy_that_ended_early_claims_no_comparison(
    command: Command, server: Dovecot
) -> None:
    def no_room(data: bytes) -> bytes:
        return re.sub(rb"(P\d+) OK \[APPENDUID[^\r]*", rb"\1 NO [OVERQUOTA] full", data)

    with Proxy(server.port, rewrite=no_room) as proxy:
        place = {
            "--destination": f"imap://127.0.0.1:{proxy.port}",
            "--destination-user": "rosa",
        }
        out, err = _ending(command, **place)
    assert "The destination takes no more messages." in err
    assert "It ended too early. Run it again to go on from here. 0 copied" in out


def test_a_file_of_authorities_is_looked_at_first(
    command: Command, tmp_path: Path
) -> None:
    file = tmp_path / "authorities"
    option = {"--ca-file": str(file)}
    assert _call(command, **option) == f"There is no file {file}."
    file.write_text("no certificate")
    assert _call(command, **option).startswith(
        f"The file of trusted certificates {file} cannot be read."
    )


def test_the_authorities_of_the_settings_are_trusted(
    command: Command, server: Dovecot
) -> None:
    del command.options["--ca-file"]
    with override_settings(IMAP_CA_FILE=None):
        _, err = _ending(command, **{"--dry-run": True})
    assert "is not trusted" in err
    assert "with --ca-file." in err

    out = StringIO()
    options = _options(command, **{"--dry-run": True})
    with override_settings(IMAP_CA_FILE=server.ca_file):
        call_command("copy_mailbox", stdout=out, **options)
    assert "would be copied." in out.getvalue()


@pytest.mark.slow
def test_certificates_are_verified_unless_told_otherwise(command: Command) -> None:
    del command.options["--ca-file"]
    status, _, err = command.run("--dry-run")
    assert status == 1
    assert "is not trusted" in err

    status, _, err = command.run(
        "--dry-run", "--insecure-source", "--insecure-destination"
    )
    assert (status, err) == (0, "")
