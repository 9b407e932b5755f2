"""How a run ends, is put off, or goes back to the queue.

Each function answers False where the run is no longer held by this attempt: its lease
ran out and somebody else decides about it now.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from purelymanage.audit.events import Event
from purelymanage.audit.models import Agent
from purelymanage.figures import in_bytes, thin
from purelymanage.imap.errors import (
    CertificateRefused,
    ConnectionLost,
    ImapError,
    LoginRefused,
    Unreachable,
)
from purelymanage.migrations import queue
from purelymanage.migrations.engines.base import Outcome, Verdict
from purelymanage.migrations.models import Job, Run
from purelymanage.migrations.operations.runs import record
from purelymanage.migrations.operations.secrets import wipe_secret

MOST_ATTEMPTS = 20
# How long to wait after each failure in a row that may pass by itself.
PAUSES = [timedelta(seconds=it) for it in (15, 60, 300, 900, 1800)]


def settle_outcome(*, run: Run, outcome: Outcome, figures: dict[str, Any]) -> bool:
    """Settle a run that the engine brought to its end, or was told to stop."""
    match outcome.verdict:
        case Verdict.STOPPED:
            return give_back(run=run, figures=figures)
        case Verdict.INCOMPLETE:
            return settle_failure(
                run=run,
                trouble=Run.Trouble.OTHER,
                reason=_shortfall(outcome),
                figures=figures | {"verdict": outcome.verdict.value},
            )
    return settle_success(run=run, outcome=outcome, figures=figures)


@transaction.atomic(durable=True)
def settle_success(*, run: Run, outcome: Outcome, figures: dict[str, Any]) -> bool:
    """End a run well. A copy that both sides confirm needs its password no more."""
    held = _hold(run)
    if held is None:
        return False
    figures = figures | {"phase": Run.Phase.DONE, "detail": ""}
    _end(held, Run.State.DONE, verdict=outcome.verdict.value, **figures)
    # Rows first, the audit log last: nobody who holds the log may wait for a row.
    Job.objects.select_for_update().get(pk=held.job_id)
    record(Event.RUN_FINISHED, held, actor=Agent.PANEL, summary=_summary(held))
    if not held.dry_run and outcome.verdict == Verdict.COMPLETE:
        wipe_secret(job=held.job, actor=Agent.PANEL)
    queue.dispatch()
    return True


@transaction.atomic(durable=True)
def settle_failure(
    *,
    run: Run,
    trouble: str,
    reason: str,
    technical: str = "",
    retry: bool = False,
    figures: dict[str, Any] | None = None,
) -> bool:
    """End a run badly, or where trying again may help, put it off for a while."""
    held = _hold(run)
    if held is None:
        return False
    figures = (figures or {}) | {
        "trouble": trouble,
        "failure": reason[:500],
        "technical": technical[:2000],
    }
    if held.stop_requested_at:
        _end(held, Run.State.STOPPED, verdict=Run.Verdict.STOPPED, **figures)
        queue.dispatch()
        return True

    # An attempt that copied something shows that the trouble does pass.
    retries = 0 if figures.get("copied") else held.retries
    if retry and retries < len(PAUSES):
        not_before = timezone.now() + PAUSES[retries]
        _requeue(held, retries=retries + 1, not_before=not_before, **figures)
        record(Event.RUN_POSTPONED, held, actor=Agent.PANEL, reason=reason)
    else:
        figures.setdefault("verdict", Run.Verdict.INCOMPLETE)
        _end(held, Run.State.FAILED, **figures)
        record(Event.RUN_FAILED, held, actor=Agent.PANEL, reason=reason)
    queue.dispatch()
    return True


@transaction.atomic(durable=True)
def give_back(
    *,
    run: Run,
    figures: dict[str, Any] | None = None,
    abandoned_at: datetime | None = None,
) -> bool:
    """Queue a run that was interrupted again; what it copied will be recognised.

    One that was to be stopped, or that has lost too many workers, ends instead. With
    `abandoned_at`, only if its worker let the lease expire by then.
    """
    held = _hold(run, abandoned_at=abandoned_at)
    if held is None:
        return False
    figures = figures or {}
    if held.stop_requested_at:
        _end(held, Run.State.STOPPED, verdict=Run.Verdict.STOPPED, **figures)
    elif held.attempt >= MOST_ATTEMPTS:
        reason = f"It was interrupted {held.attempt} times and is not tried again."
        _end(
            held,
            Run.State.FAILED,
            verdict=Run.Verdict.INCOMPLETE,
            trouble=Run.Trouble.OTHER,
            failure=reason,
            **figures,
        )
        record(Event.RUN_FAILED, held, actor=Agent.PANEL, reason=reason)
    else:
        _requeue(held, detail="Interrupted, resumes by itself", **figures)
        record(Event.RUN_INTERRUPTED, held, actor=Agent.PANEL)
    queue.dispatch()
    return True


def give_back_abandoned() -> int:
    """Give back the runs whose workers fell silent, and return how many."""
    now = timezone.now()
    abandoned = Run.objects.abandoned(now)
    return sum(give_back(run=run, abandoned_at=now) for run in abandoned)


def trouble_of(failure: ImapError) -> Run.Trouble:
    match failure:
        case LoginRefused():
            return Run.Trouble.PASSWORD
        case CertificateRefused():
            return Run.Trouble.CERTIFICATE
        case Unreachable() | ConnectionLost():
            return Run.Trouble.CONNECTION
    return Run.Trouble.OTHER


def _hold(run: Run, *, abandoned_at: datetime | None = None) -> Run | None:
    held = Run.objects.held_by(run)
    if abandoned_at is not None:
        held = held.abandoned(abandoned_at)
    return held.select_for_update(of=("self",)).select_related("job").first()


def _end(run: Run, state: Run.State, **columns: Any) -> None:
    _save(run, state=state, finished_at=timezone.now(), **columns)


def _requeue(run: Run, **columns: Any) -> None:
    _save(run, state=Run.State.QUEUED, handed_at=None, **columns)


def _save(run: Run, **columns: Any) -> None:
    columns["lease_until"] = None
    for name, value in columns.items():
        setattr(run, name, value)
    run.save(update_fields=list(columns))


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
