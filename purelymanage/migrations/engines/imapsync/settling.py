"""From two looks at both sides, and what was said in between, to the outcome."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from purelymanage.imap.errors import ImapError
from purelymanage.migrations.engines.base import (
    CopyOptions,
    FolderProgress,
    FolderState,
    ItemError,
    Outcome,
    Verdict,
    in_messages,
)

from .command import can_go
from .complaints import LASTING, Complaint, Kind
from .looking import Missing, Seen, Sight
from .outcome import explain
from .parsing import Transcript

MOST_ERRORS = 500


def settle(
    *,
    options: CopyOptions,
    first: Sight | None,
    last: Sight | None,
    folders: list[FolderProgress],
    errors: list[ItemError],
    transcripts: Sequence[Transcript],
    failure: ImapError | None,
    stopped: bool,
    seconds: float,
) -> Outcome:
    """Judge by the last look at both sides. Without one, nothing is complete.

    `folders` and `errors` are what was reported so far; they stand where nobody could
    count again.
    """
    verdict = Verdict.INCOMPLETE
    if first is not None and last is not None:
        if options.dry_run:
            verdict = last.verdict
        else:
            complaints = _by_folder(transcripts)
            before = {seen.way.source: seen for seen in first.folders}
            folders, found, complete = [], [], True
            for after in last.folders:
                source = after.way.source
                settled = _Folder(before.get(source), after, complaints[source])
                folders.append(settled.progress)
                found += settled.errors
                complete = complete and settled.complete
            known = {(error.folder, error.uid) for error in errors}
            new = [e for e in last.errors + found if (e.folder, e.uid) not in known]
            errors = (errors + new)[: max(MOST_ERRORS, len(errors))]
            verdict = _verdict(last, folders, complete=complete)
    if stopped and (verdict == Verdict.INCOMPLETE or options.dry_run):
        verdict = Verdict.STOPPED
    elif verdict != Verdict.INCOMPLETE and not options.dry_run:
        # However it ended: everything has arrived.
        failure = None
    elif failure is not None:
        verdict = Verdict.INCOMPLETE
    return Outcome(
        verdict=verdict,
        dry_run=options.dry_run,
        folders=folders,
        errors=errors,
        messages_copied=sum(folder.copied for folder in folders),
        messages_already_there=sum(folder.already_there for folder in folders),
        messages_failed=sum(folder.failed for folder in folders),
        bytes_copied=sum(folder.bytes_copied for folder in folders),
        seconds=seconds,
        failure=failure,
    )


def _verdict(last: Sight, folders: list[FolderProgress], *, complete: bool) -> Verdict:
    if not complete or last.verdict == Verdict.INCOMPLETE:
        return Verdict.INCOMPLETE
    if any(folder.failed for folder in folders):
        return Verdict.SKIPPED
    return Verdict.COMPLETE


def _by_folder(transcripts: Sequence[Transcript]) -> defaultdict[str, list[Complaint]]:
    """Return the lasting complaints about messages, the newest word on each."""
    newest: dict[tuple[str, int], Complaint] = {}
    for transcript in transcripts:
        for complaint in transcript.complaints:
            newest[complaint.folder, complaint.uid] = complaint
    found: defaultdict[str, list[Complaint]] = defaultdict(list)
    for complaint in newest.values():
        if complaint.folder and (
            complaint.kind in LASTING or complaint.kind == Kind.FOLDER
        ):
            found[complaint.folder].append(complaint)
    return found


class _Folder:
    """One folder after the run, beside what it was before."""

    def __init__(
        self, before: Seen | None, after: Seen, complaints: list[Complaint]
    ) -> None:
        self._name = after.progress.source
        self.errors: list[ItemError] = []
        excused = self._excuse(after, [it for it in complaints if it.uid])
        unseen = len(after.missing) - len(excused)
        read = after.progress.state == FolderState.DONE
        self.complete = read and after.exists and not unseen
        # The folder may be newer than the first look.
        new = FolderProgress(self._name, after.progress.destination)
        self.progress = _figures(before.progress if before else new, after.progress)
        self.progress.to_copy -= len(excused)
        self.progress.bytes_to_copy -= sum(it.size for it in excused)
        self.progress.failed = after.progress.failed + len(excused)
        self.progress.state = FolderState.DONE if self.complete else FolderState.FAILED
        if unseen or not after.exists:
            self._blame(after, complaints, unseen)

    def _excuse(self, after: Seen, complaints: list[Complaint]) -> list[Missing]:
        """Name what is missing for a reason.

        Of two messages with one identity, another one may be taken for the missing
        one than the one that was complained of.
        """
        by_uid = {complaint.uid: complaint for complaint in complaints}
        left = [missing for missing in after.missing if missing.uid not in by_uid]
        pairs = [(it, by_uid.pop(it.uid)) for it in after.missing if it.uid in by_uid]
        same_size: defaultdict[int, list[Complaint]] = defaultdict(list)
        for complaint in by_uid.values():
            same_size[complaint.size].append(complaint)
        pairs += [
            (missing, same_size[missing.size].pop())
            for missing in left
            if same_size[missing.size]
        ]
        for missing, complaint in pairs:
            reason = explain(complaint)
            self.errors.append(
                ItemError(
                    self._name, missing.uid, missing.size, reason, missing.arrived_at
                )
            )
        return [missing for missing, _ in pairs]

    def _blame(self, after: Seen, complaints: list[Complaint], unseen: int) -> None:
        be = "is" if unseen == 1 else "are"
        reason = f"{in_messages(unseen)} {be} not at the destination."
        if not unseen:
            reason = "The folder is not at the destination."
        if not can_go(after.way):
            reason += (
                " imapsync cannot copy folders with an equals sign in their names. "
                "The engine pipeline can."
            )
        for complaint in complaints:
            if complaint.kind == Kind.FOLDER:
                reason += f" {explain(complaint)}"
        self.errors.append(ItemError(self._name, 0, 0, reason))


def _figures(before: FolderProgress, after: FolderProgress) -> FolderProgress:
    """Count as copied what was not there at first and is now."""
    copied = max(0, after.already_there - before.already_there)
    present = after.bytes - after.bytes_to_copy
    size = max(0, present - (before.bytes - before.bytes_to_copy)) if copied else 0
    return replace(
        after,
        already_there=min(before.already_there, after.already_there),
        copied=copied,
        bytes_copied=size,
        to_copy=copied + after.to_copy,
        bytes_to_copy=size + after.bytes_to_copy,
        exists=before.exists,
    )
