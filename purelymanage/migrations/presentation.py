"""What a run looks like to a person: words, tones and the next step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.utils import timezone

from purelymanage.http import mark_of, passing_time
from purelymanage.migrations import estimates
from purelymanage.migrations.models import Job, Run
from purelymanage.migrations.troubles import AGAIN, next_step, other_engine

CLAIMED_SOON = timedelta(seconds=15)
# The steps of a copy as the page names them, in order.
STEPS = {
    Run.Phase.CONNECTING: ("Sign in", "Signed in"),
    Run.Phase.LISTING: ("Count", "Counted"),
    Run.Phase.READING: ("Read headers", "Headers read"),
    Run.Phase.COPYING: ("Copy", "Copied"),
    Run.Phase.COMPARING: ("Compare both sides", "Both sides compared"),
}


LOGIN_TONES = {
    Job.Login.WAITING: "waiting",
    Job.Login.TRYING: "running",
    Job.Login.RIGHT: "good",
    Job.Login.WRONG: "broken",
    Job.Login.UNKNOWN: "attention",
}


@dataclass(frozen=True, slots=True)
class Step:
    words: str
    tone: str


@dataclass(frozen=True, slots=True)
class Action:
    """A button that queues a run of this kind."""

    kind: str
    label: str
    icon: str
    primary: bool


@dataclass(frozen=True)
class RunView:
    run: Run
    # Why it waits, see `why_waiting`; where the page of a run is drawn.
    why: str = ""

    @property
    def tone(self) -> str:
        run = self.run
        match run.state:
            case Run.State.QUEUED:
                return "waiting"
            case Run.State.RUNNING:
                return "attention" if run.silent_since else "running"
            case Run.State.FAILED:
                return "broken"
            case Run.State.STOPPED:
                return "attention"
        return "attention" if run.verdict == Run.Verdict.SKIPPED else "good"

    @property
    def badge(self) -> str:
        """The state in one or two words."""
        run = self.run
        match run.state:
            case Run.State.RUNNING if run.stop_requested_at:
                return "Stopping"
            case Run.State.RUNNING if run.silent_since:
                return "Silent"
            case Run.State.RUNNING if run.dry_run:
                return "Planning"
            case Run.State.RUNNING if run.phase == Run.Phase.DONE:
                return "Finishing"
            case Run.State.RUNNING:
                return run.get_phase_display()
            case Run.State.FAILED if run.trouble == Run.Trouble.PASSWORD:
                return "Needs a password"
            case Run.State.DONE if run.dry_run:
                return "Plan ready"
            case Run.State.DONE if run.verdict == Run.Verdict.SKIPPED:
                return "Some left out"
            case Run.State.DONE:
                return "Complete"
        return run.get_state_display()

    @property
    def headline(self) -> str:
        """What is going on, or how it ended, as one sentence without its full stop."""
        run = self.run
        if silent_since := run.silent_since:
            return f"No sign of life since {timezone.localtime(silent_since):%H:%M:%S}"
        match run.state:
            case Run.State.QUEUED if run.not_before:
                return "Tries again by itself"
            case Run.State.QUEUED if self.why and not self.is_said_apart:
                words = self.why.removeprefix("It ").rstrip(".")
                return words[:1].upper() + words[1:]
            case Run.State.QUEUED if run.handed_at:
                late = timezone.now() - run.handed_at > CLAIMED_SOON
                return "Waits for a worker" if late else "Starts in a moment"
            case Run.State.QUEUED if self.is_said_apart:
                return run.detail or "Interrupted, resumes by itself"
            case Run.State.QUEUED:
                return "Waits until another copy has ended"
            case Run.State.RUNNING if run.stop_requested_at:
                return "Stops in a moment"
            case Run.State.RUNNING if run.phase == Run.Phase.DONE:
                return "Ends in a moment"
            case Run.State.RUNNING:
                words = run.detail or run.get_phase_display()
                if run.phase == Run.Phase.COPYING:
                    words += f", {run.folders_done} of {run.folder_count} folders done"
                return words[:1].upper() + words[1:]
            case Run.State.FAILED:
                return run.failure.rstrip(".")
            case Run.State.STOPPED:
                return "Stopped before the end"
        if run.dry_run:
            return "The plan is ready, nothing was copied yet"
        if run.verdict == Run.Verdict.SKIPPED:
            noun = "message" if run.failed == 1 else "messages"
            return f"Complete, apart from {run.failed:,} {noun} left out"
        return "Complete: both sides were counted and agree"

    @property
    def is_said_apart(self) -> bool:
        """Whether the headline has more to tell of a waiting run than why it waits."""
        return bool(self.run.attempt and not self.run.handed_at)

    @property
    def past(self) -> str:
        """The same in a list of what was done earlier."""
        run = self.run
        noun = "plan" if run.dry_run else "copy"
        match run.state:
            case Run.State.FAILED:
                return f"Failed {noun}: {run.failure.rstrip('.')}"
            case Run.State.STOPPED:
                return f"Stopped {noun}"
            case Run.State.DONE if run.dry_run:
                return "Plan"
        return run.get_verdict_display().replace("Complete", "Complete copy")

    @property
    def advice(self) -> str:
        """The next step where the run did not end well, or will not go on by itself."""
        run = self.run
        match run.state:
            case Run.State.FAILED if not run.trouble:
                return AGAIN
            case Run.State.STOPPED if not run.dry_run:
                return "What was copied stays. Run it again to copy the rest."
            case Run.State.RUNNING if run.silent_since:
                does = "ends" if run.stop_requested_at else "resumes"
                return f"It {does} by itself within about two minutes."
        return next_step(run)

    @property
    def waits_until(self) -> datetime | None:
        waits = self.run.state == Run.State.QUEUED
        return self.run.not_before if waits else None

    @property
    def title(self) -> str:
        """What the tab of the browser says before the name of the page."""
        if not self.run.is_open:
            return ""
        percent = self.percent
        return f"{self.badge}:" if percent is None else f"{percent} %"

    @cached_property
    def percent(self) -> int | None:
        return estimates.percent(self.run)

    @property
    def percent_of_messages(self) -> int | None:
        return estimates.percent_of_messages(self.run)

    @property
    def engine(self) -> str:
        """What copies or has copied, with its version where it has one."""
        return f"{self.run.engine} {self.run.engine_version}".strip()

    @property
    def other_engine(self) -> str:
        return other_engine(self.run)

    @property
    def seen(self) -> list[object]:
        """What differs when there is something new to see, apart from the time."""
        run = self.run
        return [
            *(run.pk, run.state, run.attempt, run.phase, run.detail, run.messages),
            *(run.bytes, run.already_there, run.to_copy, run.bytes_to_copy),
            *(run.copied, run.bytes_copied, run.failed, run.folders_done),
            *(run.handed_at, run.not_before, run.stop_requested_at),
            *(run.moved_at, run.silent_since),
        ]

    @property
    def shape(self) -> str:
        """Changes when more is different than figures, such as which folders it has."""
        run = self.run
        return mark_of(
            *(run.pk, run.state, run.attempt, run.folder_count),
            *(bool(run.copied_earlier), run.job.removed_at),
        )

    @property
    def mark(self) -> str:
        """Changes whenever there is something new to say about a run that is open.

        Why it waits and how long it takes depends on others, so now and then it
        changes by itself.
        """
        return mark_of(self.seen, passing_time())

    @cached_property
    def pace(self) -> estimates.Pace:
        return estimates.pace(self.run.last_samples)

    @property
    def knows_what_to_copy(self) -> bool:
        """Whether both sides were looked at, so that what is missing can be told."""
        if self.run.state == Run.State.RUNNING and self.run.phase == Run.Phase.READING:
            # What is missing of the first folders is copied by then, and told as well.
            return False
        early = {Run.Phase.CONNECTING, Run.Phase.LISTING, Run.Phase.READING}
        return self.run.phase not in early or bool(self.run.to_copy_in_all)

    @property
    def bytes_a_second(self) -> int:
        return int(self.pace.bytes)

    @property
    def messages_there(self) -> int:
        return self.run.already_there + self.run.copied

    @cached_property
    def chart(self) -> estimates.Chart | None:
        return None if self.run.silent_since else estimates.chart(self.run)

    @cached_property
    def left(self) -> timedelta | None:
        return estimates.time_left(self.run)

    @property
    def time_left(self) -> str:
        return estimates.in_words(self.left) if self.left is not None else ""

    @property
    def finishes_at(self) -> datetime | None:
        return timezone.now() + self.left if self.left is not None else None

    @property
    def steps(self) -> list[Step]:
        run = self.run
        steps = list(STEPS)
        if run.dry_run:
            steps = steps[:3]
        phases = [*STEPS, Run.Phase.DONE]
        reached = phases.index(Run.Phase(run.phase))
        if run.state == Run.State.DONE:
            reached = len(phases)
        found = []
        for step in steps:
            to_do, done = STEPS[step]
            position = phases.index(step)
            if position < reached:
                found.append(Step(done, "good"))
            elif position == reached and run.state == Run.State.RUNNING:
                found.append(Step(run.Phase(step).label, "running"))
            else:
                found.append(Step(to_do, "off"))
        return found

    @property
    def actions(self) -> list[Action]:
        """What may be queued next, the obvious thing first."""
        run = self.run
        if run.is_open:
            return []
        plan = Action("plan", "Plan again", "sync", primary=False)
        if run.dry_run and run.state == Run.State.DONE:
            return [Action("copy", "Run it", "play", primary=True), plan]
        if run.dry_run:
            return [Action("plan", "Plan again", "sync", primary=True)]
        again = Action("copy", "Run again", "play", primary=not run.is_complete)
        return [again, plan]
