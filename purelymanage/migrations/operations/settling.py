"""How a run ends, is put off, or goes back to the queue.

Each function answers False where the run is no longer held by this attempt: its lease
ran out and somebody else decides about it now.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.models import Agent
from purelymanage.figures import in_bytes, thin
from purelymanage.migrations import queue
from purelymanage.migrations.allowance import put_back
from purelymanage.migrations.engines.base import Outcome, Verdict
from purelymanage.migrations.failures import (
    PAUSES,
    STALLS_TOLD,
    Diagnosis,
    diagnose_items,
    is_oversize,
)
from purelymanage.migrations.limits import Hold
from purelymanage.migrations.models import Attempt, Job, Run
from purelymanage.migrations.models.runs import LEASE
from purelymanage.migrations.operations.owners import tell_owner
from purelymanage.migrations.operations.runs import record
from purelymanage.migrations.operations.secrets import wipe_secret
from purelymanage.migrations.references import job_entry
from purelymanage.migrations.waiting import moment

# Workers that a run may lose in a row without having copied anything.
MOST_LOST = 10


def settle_outcome(*, run: Run, outcome: Outcome, figures: dict[str, Any]) -> bool:
    """Settle a run that the engine brought to its end, or was told to stop."""
    if outcome.verdict == Verdict.STOPPED:
        return give_back(run=run, figures=figures)
    figures = figures | {"verdict": outcome.verdict.value}
    if found := diagnose_items(outcome, timezone.now()):
        return settle_failure(run=run, diagnosis=found, figures=figures)
    if outcome.verdict == Verdict.INCOMPLETE:
        found = Diagnosis(trouble=Run.Trouble.OTHER, sentence=_shortfall(outcome))
        return settle_failure(run=run, diagnosis=found, figures=figures)
    if is_oversize(outcome):
        figures["trouble"] = Run.Trouble.OVERSIZE
    return settle_success(run=run, outcome=outcome, figures=figures)


@transaction.atomic(durable=True)
def settle_success(*, run: Run, outcome: Outcome, figures: dict[str, Any]) -> bool:
    """End a run well. A copy that both sides confirm needs its password no more."""
    held = _hold(run)
    if held is None:
        return False
    figures = figures | {"phase": Run.Phase.DONE, "detail": ""}
    _end(held, Run.State.DONE, **figures | {"verdict": outcome.verdict.value})
    # Rows first, the audit log last: nobody who holds the log may wait for a row.
    Job.objects.select_for_update().get(pk=held.job_id)
    told = tell_owner(held)
    record(Event.RUN_FINISHED, held, actor=Agent.PANEL, summary=_summary(held))
    if not held.dry_run and outcome.verdict == Verdict.COMPLETE:
        wipe_secret(job=held.job, actor=Agent.PANEL)
    if told:
        log.record_many([job_entry(Event.OWNER_TOLD, held.job)])
    queue.dispatch()
    return True


@transaction.atomic(durable=True)
def settle_failure(
    *, run: Run, diagnosis: Diagnosis, figures: dict[str, Any] | None = None
) -> bool:
    """End a run badly, or where it passes by itself, put it off for a while."""
    held = _hold(run)
    if held is None:
        return False
    figures = (figures or {}) | {
        "trouble": diagnosis.trouble,
        "failure": diagnosis.sentence[:500],
        "technical": diagnosis.technical[:2000],
    }
    if held.stop_requested_at:
        _end(held, Run.State.STOPPED, **figures | {"verdict": Run.Verdict.STOPPED})
        queue.dispatch()
        return True

    earlier = _earlier(held, diagnosis, figures)
    pauses = PAUSES.get(diagnosis.trouble, [])
    reason = diagnosis.sentence
    if diagnosis.is_told or (diagnosis.passes and earlier < len(pauses)):
        retries = held.retries if diagnosis.is_told else earlier + 1
        not_before = diagnosis.until or timezone.now() + pauses[earlier]
        figures |= {"verdict": "", "retries": retries, "not_before": not_before}
        _requeue(held, Attempt.End.POSTPONED, **figures)
        record(Event.RUN_POSTPONED, held, actor=Agent.PANEL, reason=reason)
        # Once for a run: that it is stuck once more is no news.
        if diagnosis.trouble == Run.Trouble.STALLED and earlier + 1 == STALLS_TOLD:
            record(Event.RUN_STALLED, held, actor=Agent.PANEL, times=str(earlier + 1))
    else:
        figures.setdefault("verdict", Run.Verdict.INCOMPLETE)
        _end(held, Run.State.FAILED, **figures)
        event = Event.RUN_FAILED
        if diagnosis.trouble == Run.Trouble.PASSWORD:
            event = Event.RUN_NEEDS_PASSWORD
            if diagnosis.is_about_source:
                _ask_for_password(held, reason)
        record(event, held, actor=Agent.PANEL, reason=reason)
    queue.dispatch()
    return True


@transaction.atomic(durable=True)
def make_pause(*, run: Run, hold: Hold, figures: dict[str, Any]) -> bool:
    """Give a run back because its hours came or its day is used up.

    It goes on as soon as nothing holds it any more: no failure, and no date of its own.
    """
    held = _hold(run)
    if held is None:
        return False
    if held.stop_requested_at:
        _end(held, Run.State.STOPPED, **figures | {"verdict": Run.Verdict.STOPPED})
    else:
        words = f"{hold.reason}, continues {moment(hold.until)}"
        trouble = Run.Trouble.BUDGET if hold.is_budget else ""
        _requeue(
            held, Attempt.End.PUT_OFF, **figures, detail=words[:300], trouble=trouble
        )
        record(
            Event.RUN_PUT_OFF,
            held,
            actor=Agent.PANEL,
            until=moment(hold.until),
            reason=f"{hold.reason}.",
        )
    queue.dispatch()
    return True


@transaction.atomic(durable=True)
def give_back(
    *,
    run: Run,
    figures: dict[str, Any] | None = None,
    abandoned_at: datetime | None = None,
    is_lost: bool = False,
) -> bool:
    """Queue a run that was interrupted again; what it copied will be recognised.

    One that was to be stopped, or that has lost too many workers, ends instead. With
    `abandoned_at`, only if its worker let the lease expire by then.
    """
    held = _hold(run, abandoned_at=abandoned_at)
    if held is None:
        return False
    figures = figures or {}
    is_lost = is_lost or abandoned_at is not None
    end = Attempt.End.LOST if is_lost else Attempt.End.INTERRUPTED
    if held.stop_requested_at:
        _end(held, Run.State.STOPPED, **figures | {"verdict": Run.Verdict.STOPPED})
    elif is_lost and (times := _lost_in_a_row(held)) >= MOST_LOST:
        reason = f"It lost its worker {times} times and is not tried again."
        figures = figures | {"trouble": Run.Trouble.OTHER, "failure": reason}
        figures["verdict"] = Run.Verdict.INCOMPLETE
        _end(held, Run.State.FAILED, **figures)
        record(Event.RUN_FAILED, held, actor=Agent.PANEL, reason=reason)
    else:
        _requeue(held, end, detail="Interrupted, resumes by itself", **figures)
        record(Event.RUN_INTERRUPTED, held, actor=Agent.PANEL)
    queue.dispatch()
    return True


def give_back_lost(*, pk: int, attempt: int) -> bool:
    """Give back a run whose worker is known to be dead, so that its slot is free.

    It resumes no sooner than it would have without that knowledge, see `LEASE`. A plan
    has sent nothing that could still be on its way.
    """
    run = Run.objects.running().filter(pk=pk, attempt=attempt).first()
    if run is None:
        return False
    pause = {} if run.dry_run else {"not_before": timezone.now() + LEASE}
    return give_back(run=run, figures=pause, is_lost=True)


def give_back_abandoned() -> int:
    """Give back the runs whose workers fell silent, and return how many."""
    now = timezone.now()
    abandoned = Run.objects.abandoned(now)
    return sum(give_back(run=run, abandoned_at=now) for run in abandoned)


def _earlier(run: Run, diagnosis: Diagnosis, figures: dict[str, Any]) -> int:
    """Return how many failures in a row came before this one."""
    if diagnosis.trouble in {Run.Trouble.PASSWORD, Run.Trouble.STALLED}:
        same = run.attempts.filter(trouble=diagnosis.trouble)
        return same.exclude(number=run.attempt).count()
    # An attempt that copied something shows that the trouble does pass.
    return 0 if figures.get("copied") else run.retries


def _lost_in_a_row(run: Run) -> int:
    """Return how many workers it has lost by now without having copied anything."""
    if run.copied:
        return 0
    times = 1
    for attempt in Attempt.objects.in_a_row(run):
        if attempt.end != Attempt.End.LOST:
            break
        times += 1
    return times


def _ask_for_password(run: Run, reason: str) -> None:
    """Keep the job from being tried again with a password that is not accepted."""
    Job.objects.filter(pk=run.job_id).update(
        login=Job.Login.WRONG, login_words=reason[:500], login_tried_at=timezone.now()
    )


def _hold(run: Run, *, abandoned_at: datetime | None = None) -> Run | None:
    held = Run.objects.held_by(run)
    if abandoned_at is not None:
        held = held.abandoned(abandoned_at)
    return held.select_for_update(of=("self",)).select_related("job__batch").first()


def _end(run: Run, state: Run.State, **columns: Any) -> None:
    now = timezone.now()
    _save(run, Attempt.End.SETTLED, state=state, finished_at=now, **columns)


def _requeue(run: Run, end: Attempt.End, **columns: Any) -> None:
    _save(run, end, state=Run.State.QUEUED, handed_at=None, **columns)


def _save(run: Run, end: Attempt.End, **columns: Any) -> None:
    columns["lease_until"] = None
    for name, value in columns.items():
        setattr(run, name, value)
    run.save(update_fields=list(columns))
    attempt = run.attempts.select_for_update().filter(number=run.attempt).first()
    if attempt is None:
        return
    # Without figures of its end, the last report is all that is known.
    is_sure = "bytes_copied" in columns
    put_back(attempt, run.job, copied=run.bytes_copied, is_sure=is_sure)
    run.attempts.filter(pk=attempt.pk).update(
        ended_at=timezone.now(),
        end=end,
        trouble=columns.get("trouble", ""),
        copied=run.copied,
        bytes_copied=run.bytes_copied,
    )


def _shortfall(outcome: Outcome) -> str:
    missing = sum(folder.missing for folder in outcome.folders)
    if outcome.dry_run:
        return "The plan is not complete: not every folder could be read."
    if not missing:
        return "The two mailboxes do not agree in every folder."
    noun = "message is" if missing == 1 else "messages are"
    return f"{thin(missing)} {noun} not at the destination."


def _summary(run: Run) -> str:
    if run.dry_run:
        size = in_bytes(run.bytes_to_copy)
        return (
            f"{thin(run.messages)} messages, {thin(run.already_there)} of them there already, "
            f"{thin(run.to_copy)} to copy ({size})"
        )
    size = in_bytes(run.bytes_copied_in_all)
    return (
        f"{run.get_verdict_display().lower()}, {thin(run.copied_in_all)} messages "
        f"copied ({size}), {thin(run.there_before)} there already"
    )
