from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from purelymanage.figures import in_bytes, thin
from purelymanage.imap.account import Account, Security
from purelymanage.imap.errors import CertificateRefused, ImapError
from purelymanage.imap.opening import tls_context
from purelymanage.migrations import engines
from purelymanage.migrations.engines import NAMES, EngineUnavailable, get_engine
from purelymanage.migrations.engines.base import (
    CopyOptions,
    FolderProgress,
    FolderState,
    Outcome,
    Phase,
    Progress,
    SameMailbox,
    Stop,
    Verdict,
    in_messages,
    refuse_same,
)
from purelymanage.migrations.engines.pipeline.verifying import verify

SCHEMES = {
    "imaps": (Security.TLS, 993),
    "imap": (Security.CLEAR, 143),
    "imap+starttls": (Security.STARTTLS, 143),
}
SENTENCES = {
    Verdict.COMPLETE: "Complete: every message of the source is at the destination.",
    Verdict.SKIPPED: "Complete but for the messages listed above.",
    Verdict.INCOMPLETE: "Incomplete: not every message is at the destination.",
    Verdict.STOPPED: "Stopped before the end. Run it again to go on from here.",
}
NEXT_STEP = (
    "Use the host name that the certificate was made for. If an authority of your own "
    "has signed it, name that authority's certificate with --ca-file."
)


class Command(BaseCommand):
    help = "Copy one mailbox into another, or see what that would do (--dry-run)."
    # It has to work where there is no database, and where migrations are due.
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        for side in ("source", "destination"):
            parser.add_argument(
                f"--{side}",
                required=True,
                metavar="URL",
                help=f"the server of the {side}: imaps://host[:port], "
                "imap+starttls://… or imap://… (clear text)",
            )
            parser.add_argument(
                f"--{side}-user",
                required=True,
                metavar="NAME",
                help=f"who logs in at the {side}, most often the whole address",
            )
            parser.add_argument(
                f"--{side}-password-file",
                required=True,
                metavar="FILE",
                help="a file, or /dev/fd/N, with the password as its only line",
            )
            parser.add_argument(
                f"--insecure-{side}",
                action="store_true",
                help=f"accept any certificate of the {side}",
            )
        parser.add_argument(
            "--engine",
            default="pipeline",
            choices=NAMES,
            help="what does the copying: auto takes imapsync where it is installed, "
            "else the pipeline (default: pipeline)",
        )
        parser.add_argument(
            "--ca-file",
            metavar="FILE",
            help="trust these authorities as well, on both sides (default: the file "
            "that the setting IMAP_CA_FILE names)",
        )
        parser.add_argument("--dry-run", action="store_true", help="write nothing")
        parser.add_argument(
            "--verify",
            action="store_true",
            help="copy nothing: compare both sides message by message, byte for byte, "
            "and print what differs",
        )
        parser.add_argument("--json", action="store_true", help="print one object")

    def handle(self, *args: Any, **options: Any) -> None:
        # The app would say so, but this starts without the apps.
        engines.imapsync_name = lambda: settings.IMAPSYNC_BIN
        source = _account("source", options)
        destination = _account("destination", options)
        try:
            refuse_same(source, destination)
            engine = get_engine(options["engine"])
        except (SameMailbox, EngineUnavailable) as exc:
            raise CommandError(str(exc), returncode=2) from None

        if options["verify"]:
            self._verify(source, destination, in_json=options["json"])
            return
        watch = _Watch(self, quiet=options["json"])
        with _stopped_by_signals(watch.stop):
            outcome = engine.copy(
                source, destination, CopyOptions(dry_run=options["dry_run"]), watch
            )
        if options["json"]:
            self.stdout.write(json.dumps(outcome.as_dict(), ensure_ascii=False))
        else:
            self._tell(outcome)
        if outcome.verdict != Verdict.COMPLETE:
            sys.exit(1)

    def _verify(self, source: Account, destination: Account, *, in_json: bool) -> None:
        def tell(line: str) -> None:
            if not in_json:
                self.stdout.write(line)

        try:
            found = verify(source, destination, CopyOptions(), tell)
        except ImapError as exc:
            raise CommandError(f"{exc.message} {exc.technical}".strip()) from None
        except KeyboardInterrupt:
            raise CommandError("Stopped before the end.") from None
        if in_json:
            self.stdout.write(json.dumps(found.as_dict(), ensure_ascii=False))
        else:
            for it in found.differences:
                size = in_bytes(it.size)
                which = f"message {it.uid} ({size})" if it.uid else "the folder"
                self.stdout.write(f"{it.folder}, {which}: {it.reason}")
            self.stdout.write(
                f"{thin(found.equal)} of {in_messages(found.messages)} are equal, "
                f"{thin(len(found.differences))} differ, {thin(found.only_there)} "
                f"more are at the destination alone, {found.seconds:.1f} s."
            )
        if not found.is_equal:
            sys.exit(1)

    def _tell(self, outcome: Outcome) -> None:
        for line in _table(outcome.folders, dry_run=outcome.dry_run):
            self.stdout.write(line)
        for error in outcome.errors:
            which = "the folder"
            if error.uid:
                which = f"message {error.uid} ({in_bytes(error.size)})"
            self.stdout.write(f"{error.folder}, {which}: {error.reason}")
        if outcome.failure is not None:
            failure = outcome.failure
            self.stderr.write(f"{failure.message} {failure.technical}".strip())
            if isinstance(failure, CertificateRefused):
                self.stderr.write(NEXT_STEP)
            if not outcome.folders:
                # Nothing had begun, so there is nothing to count.
                return
        self.stdout.write(_plan(outcome) if outcome.dry_run else _result(outcome))


class _Watch:
    """Prints what happens, and ends the copy when told to."""

    def __init__(self, command: Command, *, quiet: bool) -> None:
        self.stop = threading.Event()
        self._command = command
        self._quiet = quiet
        self._last = ""

    def __call__(self, progress: Progress) -> None:
        if not self._quiet:
            self._show(progress)
        if self.stop.is_set():
            raise Stop

    def _show(self, progress: Progress) -> None:
        for line in progress.log:
            self._command.stdout.write(line)
        now = progress.detail[:1].upper() + progress.detail[1:]
        if now and progress.phase == Phase.COPYING:
            now += f": {thin(progress.copied)} of {in_messages(progress.to_copy)}"
            now += f", {in_bytes(progress.bytes_copied)}"
        if now and now != self._last:
            self._last = now
            self._command.stdout.write(now)
            self._command.stdout.flush()


@contextmanager
def _stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """Let Ctrl-C and `kill` end the copy with its counts instead of a traceback."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, frame: FrameType | None) -> None:
        stop.set()

    before = {
        number: signal.signal(number, handle)
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _account(side: str, options: dict[str, Any]) -> Account:
    url: str = options[side]
    # A password in an address would stand in the list of processes.
    shape = CommandError(
        f"--{side} must look like imaps://host:port, without user and password.",
        returncode=2,
    )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise shape from None
    if parts.scheme not in SCHEMES or not parts.hostname or "@" in parts.netloc:
        raise shape
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise shape
    security, usual_port = SCHEMES[parts.scheme]
    ca_file: str | None = options["ca_file"] or settings.IMAP_CA_FILE
    if ca_file:
        _check_authorities(ca_file)
    user: str = options[f"{side}_user"]
    if not user or any(character in user for character in "\r\n\0"):
        raise CommandError(f"--{side}-user is not a user's name.", returncode=2)
    return Account(
        host=parts.hostname,
        port=port or usual_port,
        user=user,
        password=_password(options[f"{side}_password_file"]),
        security=security,
        verify_certificate=not options[f"insecure_{side}"],
        ca_file=ca_file,
    )


def _check_authorities(name: str) -> None:
    if not Path(name).is_file():
        raise CommandError(f"There is no file {name}.", returncode=2)
    try:
        tls_context(Security.TLS, verify=True, ca_file=name)
    except CertificateRefused as exc:
        raise CommandError(f"{exc.message} {exc.technical}", returncode=2) from None


def _password(name: str) -> str:
    try:
        text = Path(name).read_text(encoding="utf-8")
    except OSError as exc:
        raise CommandError(
            f"The password file {name} cannot be read: {exc.strerror}.", returncode=2
        ) from None
    except UnicodeDecodeError:
        raise CommandError(
            f"The password file {name} is not UTF-8 text.", returncode=2
        ) from None
    password = text.removesuffix("\n").removesuffix("\r")
    if not password:
        raise CommandError(f"The password file {name} is empty.", returncode=2)
    if any(character in password for character in "\r\n\0"):
        raise CommandError(
            f"The password in {name} may be one line of text only.", returncode=2
        )
    return password


def _plan(outcome: Outcome) -> str:
    if outcome.verdict == Verdict.STOPPED:
        return "Stopped before the plan was complete."
    if outcome.failure is not None:
        return "The plan is not complete."
    waiting = sum(folder.to_copy for folder in outcome.folders)
    size = sum(folder.bytes_to_copy for folder in outcome.folders)
    words = f"{in_messages(waiting)} ({in_bytes(size)}) would be copied"
    if outcome.verdict == Verdict.SKIPPED:
        return f"{words}, but not the {thin(outcome.messages_failed)} listed above."
    if outcome.verdict == Verdict.INCOMPLETE:
        return f"{words}. The plan is not complete: not every folder could be read."
    return f"{words}."


def _result(outcome: Outcome) -> str:
    if outcome.failure is not None and outcome.verdict != Verdict.STOPPED:
        sentence = "It ended too early. Run it again to go on from here."
    else:
        sentence = SENTENCES[outcome.verdict]
    return (
        f"{sentence} {thin(outcome.messages_copied)} copied "
        f"({in_bytes(outcome.bytes_copied)}), "
        f"{thin(outcome.messages_already_there)} were there, "
        f"{thin(outcome.messages_failed)} failed, {outcome.seconds:.1f} s."
    )


def _table(folders: list[FolderProgress], *, dry_run: bool) -> Iterator[str]:
    if not folders:
        return
    width = max(len("Folder"), *(len(folder.source) for folder in folders))
    heads = ("messages", "there", "to copy" if dry_run else "copied", "failed")
    yield "  ".join([f"{'Folder':{width}}", *(f"{head:>9}" for head in heads), "into"])
    for folder in folders:
        done = folder.to_copy if dry_run else folder.copied
        counts = (folder.messages, folder.already_there, done, folder.failed)
        read = _was_read(folder)
        yield "  ".join(
            [
                f"{folder.source:{width}}",
                *(f"{thin(count) if read else '-':>9}" for count in counts),
                folder.destination + ("" if folder.exists else " (new)"),
            ]
        )


def _was_read(folder: FolderProgress) -> bool:
    """Say whether the counts are known; they are only where both sides were read."""
    compared = folder.already_there or folder.to_copy or folder.failed
    return bool(compared) or folder.state in {FolderState.COPYING, FolderState.DONE}
