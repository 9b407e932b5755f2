"""How far the copy of somebody's own mailbox is, as their link shows it.

Nothing of it tells about others, nor what only administrators can do something about.
"""

from __future__ import annotations

from dataclasses import dataclass

from purelymanage.http import mark_of
from purelymanage.migrations import estimates
from purelymanage.migrations.campaigns.texts.progress import (
    BY_LANGUAGE,
    ProgressWords,
)
from purelymanage.migrations.models import Job, Participant, Run

Phase, State = Run.Phase, Run.State
BY_PHASE = {
    Phase.CONNECTING: "signing_in",
    Phase.LISTING: "listing",
    Phase.READING: "reading",
    Phase.COPYING: "copying",
    Phase.COMPARING: "comparing",
    Phase.DONE: "comparing",
}


@dataclass(frozen=True, slots=True)
class OwnCopy:
    words: ProgressWords
    tone: str
    title: str
    text: str
    percent: int | None = None
    # Whether it may be otherwise in a moment.
    is_live: bool = True

    @property
    def mark(self) -> str:
        return mark_of(self.tone, self.title, self.text, self.percent)


def own_copy(participant: Participant) -> OwnCopy | None:
    """Return how far somebody's copy is, None where there is none."""
    job = participant.job
    if job is None or job.removed_at is not None:
        return None
    words = BY_LANGUAGE[participant.campaign.language]
    run = Run.objects.filter(job=job, is_newest=True).defer("log").first()
    tone, what, title = _what(run)
    percent = estimates.percent(run) if run and title == "copying" else None
    if what == "complete":
        percent = 100
    return OwnCopy(
        words,
        tone,
        getattr(words, f"{title}_title"),
        _text(words, what, run, participant),
        percent,
        is_live=title != "complete",
    )


def is_copied(job: Job) -> bool:
    """Whether nothing is left to do, so that no password is needed any more."""
    newest = Run.objects.filter(job=job, is_newest=True, dry_run=False)
    return newest.filter(state=State.DONE).exists()


def _what(run: Run | None) -> tuple[str, str, str]:
    """Return the tone, what the text says, and what the title does."""
    if run is None or run.state == State.QUEUED:
        return "waiting", "waiting", "waiting"
    if run.state == State.RUNNING:
        if run.dry_run:
            return "running", "counting", "counting"
        return "running", BY_PHASE[Phase(run.phase)], "copying"
    if run.state != State.DONE:
        return "attention", "held_up", "held_up"
    if run.dry_run:
        return "waiting", "counted", "counted"
    if run.failed:
        return "attention", "left_out", "complete"
    return "good", "complete", "complete"


def _text(
    words: ProgressWords, what: str, run: Run | None, participant: Participant
) -> str:
    def number(value: int) -> str:
        return f"{value:,}".replace(",", words.thousands)

    facts = {"contact": participant.campaign.contact}
    if run is not None:
        there = run.already_there + run.copied
        if what == "left_out":
            there = max(0, run.messages - run.failed)
        facts |= {
            "messages": number(run.messages),
            "there": number(min(there, run.messages)),
            "failed": number(run.failed),
        }
    text: str = getattr(words, what)
    return text.format_map(facts)
