"""imapsync as an engine: our own look, its run, our own look again."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field, replace

from purelymanage.imap.account import Account
from purelymanage.imap.errors import (
    ConnectionLost,
    ImapError,
    LoginRefused,
    ProtocolError,
)
from purelymanage.migrations.engines.base import (
    CopyOptions,
    FolderProgress,
    FolderState,
    ItemError,
    Outcome,
    Phase,
    Progress,
    Report,
    Stop,
    refuse_same,
)

from .command import Errand, arguments, needs_plain, refuse_unsupported
from .complaints import LASTING
from .errands import Errands
from .looking import INTERVAL, Sight, look
from .outcome import find_failure, hopeless
from .parsing import Size, Transcript
from .process import Child, Room, own_room
from .settling import settle

# Times that we look again and still find something to copy, as in a mailbox in use.
PASSES = 3
# It says nothing while it reads the headers of a huge folder.
SILENCE = 40 * 60.0
MOST_LINES = 500


class ImapsyncEngine:
    name = "imapsync"

    def __init__(self, program: str) -> None:
        self._program = program

    def copy(
        self,
        source: Account,
        destination: Account,
        options: CopyOptions,
        report: Report,
    ) -> Outcome:
        """Copy one mailbox into another; `report` is called in this thread."""
        copying = _Copying(
            self._program,
            (replace(source, side="source"), replace(destination, side="destination")),
            options,
            report,
        )
        return copying.run()


@dataclass
class _Copying:
    program: str
    accounts: tuple[Account, Account]
    options: CopyOptions
    report: Report
    started: float = field(default_factory=time.monotonic)
    # What there was at first, and when we looked last.
    first: Sight | None = None
    last: Sight | None = None
    folders: dict[str, FolderProgress] = field(default_factory=dict)
    errors: list[ItemError] = field(default_factory=list)
    transcripts: list[Transcript] = field(default_factory=list)
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=MOST_LINES))
    phase: Phase = Phase.CONNECTING
    detail: str = ""
    # The messages that were refused, so that none counts twice.
    failed: set[tuple[str, int]] = field(default_factory=set)
    # The folder that imapsync is in.
    entered: str = ""
    stopped: bool = False
    # How imapsync gets in.
    plain: bool = False
    # Since the last pass something may have been copied.
    ran: bool = False

    def run(self) -> Outcome:
        failure: ImapError | None = None
        try:
            failure = self._work()
        except Stop:
            self.stopped = True
        except ImapError as exc:
            failure = exc
        return settle(
            options=self.options,
            first=self.first,
            last=None if self.ran else self.last,
            folders=list(self.folders.values()),
            errors=self.errors,
            transcripts=self.transcripts,
            failure=failure,
            stopped=self.stopped,
            seconds=time.monotonic() - self.started,
        )

    def _work(self) -> ImapError | None:
        refuse_same(*self.accounts)
        refuse_unsupported(*self.accounts, self.options)
        self.plain = needs_plain(*self.accounts)
        errands = Errands(self.accounts, self.options, self.transcripts)
        sight = self._look_first()
        if self.options.dry_run:
            return sight.failure or self._try_log_in(errands.trial())
        failure: ImapError | None = None
        for _ in range(PASSES):
            errand = errands.next(sight)
            if errand is None:
                break
            before = errands.open(sight)
            failure = self._start(errand)
            recount = self._look_again()
            failure = failure or recount
            # A connection that breaks is only another reason to look again.
            again = failure is None or (recount is None and failure.retry)
            if self.last is not None:
                sight = self.last
            if not again or errands.open(sight) >= before:
                break
        self._tell(Phase.DONE, "")
        return failure or sight.failure or errands.beyond_budget(sight)

    # Looking

    def _look_first(self) -> Sight:
        def watch(progress: Progress) -> None:
            self.phase, self.detail = progress.phase, progress.detail
            self.folders = {folder.source: folder for folder in progress.folders}
            self.errors[:] = progress.errors
            self.report(progress)

        sight = look(*self.accounts, self.options, watch)
        if sight.failure is not None:
            # Its folders are known, so imapsync may still understand the rest.
            self.lines.append(f"{sight.failure.message} imapsync tries it alone.")
            self.ran = True
        self.first = self.last = sight
        # Not the ones reported: those belong to whoever took the report.
        self.folders = {
            seen.progress.source: replace(seen.progress) for seen in sight.folders
        }
        self.errors[:] = sight.errors
        return sight

    def _look_again(self) -> ImapError | None:
        def watch(progress: Progress) -> None:
            self._tell(Phase.COMPARING, progress.detail)

        try:
            sight = look(*self.accounts, self.options, watch)
        except ImapError as exc:
            self.lines.append(f"{exc.message} So nothing was counted again.")
            return exc
        self.ran = sight.failure is not None
        self.last = sight
        if sight.failure is None:
            return None
        return ProtocolError(
            "imapsync has ended, but what arrived could not be counted. "
            f"{sight.failure.message}",
            sight.failure.technical,
        )

    # Running

    def _try_log_in(self, errand: Errand) -> ImapError | None:
        """See whether imapsync gets in as well as we do; it uses other libraries."""
        self.detail = "signing in with imapsync"
        failure = self._start(errand)
        self.ran = False
        if failure is None:
            self._tell(Phase.DONE, "")
        return failure

    def _start(self, errand: Errand) -> ImapError | None:
        """Run it, and again if it did not get in where we did a moment ago."""
        failure = self._run_once(replace(errand, plain=self.plain))
        if isinstance(failure, LoginRefused) and not self.plain:
            self.plain = True
            failure = self._run_once(replace(errand, plain=True))
        return failure

    def _run_once(self, errand: Errand) -> ImapError | None:
        users = [account.user for account in self.accounts]
        passwords = [account.password for account in self.accounts]
        self.entered = ""
        folders = [way.source for way in errand.ways]
        transcript = Transcript(folders, users, passwords)
        self.transcripts.append(transcript)
        self.ran = True
        with own_room(*self.accounts) as room:
            status = self._follow(errand, room, transcript)
        return find_failure(transcript, status, self.accounts)

    def _follow(self, errand: Errand, room: Room, transcript: Transcript) -> int:
        """Run it to its end and return its status; whatever ends us ends it first."""
        command = arguments(self.program, errand, room.access, room.folder)
        names = {}
        if self.last is not None:
            names = {s.way.source: s.progress.source for s in self.last.folders}
        child = Child(command, room)
        try:
            due = 0.0
            while (status := child.status) is None:
                self._take(child.read(INTERVAL), transcript, names)
                if hopeless(transcript):
                    child.end()
                if time.monotonic() - child.heard_at > SILENCE:
                    raise ConnectionLost("imapsync has said nothing for too long.")
                if not self.stopped and time.monotonic() >= due:
                    due = time.monotonic() + INTERVAL
                    try:
                        self._tell(*self._stage(errand, transcript))
                    except Stop:
                        # Its statistics may still come, and nobody waits for reports.
                        self.stopped = True
                        child.end()
            while lines := child.read(0):
                self._take(lines, transcript, names)
            self._take(child.rest(), transcript, names)
        finally:
            child.close()
        if transcript.phase in {Phase.COMPARING, Phase.DONE}:
            self._enter(self.entered, "")
        if self.stopped:
            # For the log: what it said at its end.
            self._tell(*self._stage(errand, transcript))
            raise Stop
        return status

    def _stage(self, errand: Errand, transcript: Transcript) -> tuple[Phase, str]:
        if errand.only_log_in:
            return self.phase, self.detail
        if transcript.reading:
            return Phase.READING, f"reading headers of {self.entered}"
        doing = (
            f"copying {self.entered}" if self.entered else "signing in with imapsync"
        )
        return Phase.COPYING, doing

    def _take(
        self, lines: list[str], transcript: Transcript, names: dict[str, str]
    ) -> None:
        known = len(transcript.complaints)
        for line in lines:
            before = transcript.current
            shown = transcript.feed(line)
            if shown:
                self.lines.append(shown)
            if transcript.current != before:
                self._enter(names.get(before, ""), names.get(transcript.current, ""))
        for complaint in transcript.complaints[known:]:
            folder = self.folders.get(names.get(complaint.folder, ""))
            place = complaint.folder, complaint.uid
            if folder and complaint.kind in LASTING and place not in self.failed:
                self.failed.add(place)
                folder.failed += 1
        for wire, name in names.items():
            folder = self.folders.get(name)
            if folder is None:
                continue
            if wire in transcript.before[1]:
                _learn(folder, transcript.before[1][wire])
            if transcript.copied[wire]:
                self._count(folder, wire)

    def _enter(self, left: str, entered: str) -> None:
        if left in self.folders:
            self.folders[left].state = FolderState.DONE
        if entered in self.folders:
            self.folders[entered].state = FolderState.COPYING
            self.entered = entered

    def _count(self, folder: FolderProgress, wire: str) -> None:
        folder.copied = sum(it.copied[wire] for it in self.transcripts)
        folder.bytes_copied = sum(it.bytes_copied[wire] for it in self.transcripts)

    def _tell(self, phase: Phase, detail: str) -> None:
        self.phase, self.detail = phase, detail
        lines = []
        while self.lines:
            lines.append(self.lines.popleft())
        self.report(
            Progress(
                phase=phase,
                detail=detail,
                folders=[replace(folder) for folder in self.folders.values()],
                errors=list(self.errors),
                log=lines,
            )
        )


def _learn(folder: FolderProgress, size: Size) -> None:
    """Take over what imapsync has counted itself: all of it may have to be copied."""
    folder.messages, folder.bytes, folder.largest = (
        size.messages,
        size.bytes,
        size.largest,
    )
    folder.to_copy = folder.messages - folder.already_there
    folder.bytes_to_copy = folder.bytes
