from __future__ import annotations

import logging
import socket
from dataclasses import replace

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from purelymanage import crypto, task_queue
from purelymanage.imap.account import Account
from purelymanage.imap.errors import ImapError
from purelymanage.imap.login import check_login
from purelymanage.migrations import destinations, queue
from purelymanage.migrations.allowance import DayAllowance, largest_ever
from purelymanage.migrations.engines import EngineUnavailable, get_engine
from purelymanage.migrations.engines.base import Outcome, Verdict
from purelymanage.migrations.engines.pipeline.engine import PipelineEngine
from purelymanage.migrations.failures import Diagnosis, diagnose, side_of
from purelymanage.migrations.models import Job, Run
from purelymanage.migrations.models.servers import EngineChoice
from purelymanage.migrations.operations import (
    app_passwords,
    digests,
    runs,
    secrets,
    settling,
)
from purelymanage.migrations.options import copy_options
from purelymanage.migrations.progress import ProgressWriter
from purelymanage.migrations.shutdown import cluster_is_stopping

logger = logging.getLogger(__name__)


def run_job(run_id: int) -> str:
    """Carry out one run. The queue may deliver this twice, so claim the run first."""
    run = runs.claim_run(pk=run_id, host=socket.gethostname())
    if run is None:
        return "not queued any more"
    task_queue.note(f"run {run.pk} {run.attempt}")

    try:
        _carry_out(run)
    except (OperationalError, InterfaceError):
        connection.close()
        settling.give_back(run=run)
        raise
    except Exception as exc:
        found = Diagnosis(
            trouble=Run.Trouble.OTHER,
            sentence="The panel made a mistake. Its log says more.",
            # Only the kind: the text might quote anything.
            technical=type(exc).__name__,
        )
        settling.settle_failure(run=run, diagnosis=found)
        raise
    except BaseException:
        # The time limit of the queue, or a signal.
        settling.give_back(run=run)
        raise
    finally:
        app_passwords.revoke_of(run=run)

    run.refresh_from_db(fields=["state"])
    return run.get_state_display()


def sweep() -> str:
    """Resolve what crashes left behind, and let the queue move on."""
    returned = settling.give_back_abandoned()
    lost = queue.take_back_lost()
    queue.dispatch()
    wiped = secrets.wipe_expired_secrets()
    return (
        f"{returned} runs returned, {lost} handed out again, {wiped} passwords erased"
    )


def tell_of_batches() -> str:
    return f"{digests.tell_of_batches()} batches told of"


def engine_name(job: Job) -> str:
    """Return the engine a job asks for, or else its server, or else the panel."""
    for choice in (job.engine, job.server.engine):
        if choice and choice != EngineChoice.AUTO:
            return choice
    name: str = settings.MIGRATION_ENGINE
    if name == EngineChoice.AUTO and job.options.get("flags_only"):
        # imapsync cannot do that.
        return EngineChoice.PIPELINE
    return name


def _carry_out(run: Run) -> None:
    job = run.job
    try:
        engine = get_engine(engine_name(job))
    except EngineUnavailable as exc:
        found = Diagnosis(trouble=Run.Trouble.PROTOCOL, sentence=str(exc))
        settling.settle_failure(run=run, diagnosis=found)
        return
    runs.note_engine(run=run, engine=engine.name)

    try:
        password = secrets.open_secret(job)
    except crypto.Unreadable as exc:
        found = Diagnosis(
            trouble=Run.Trouble.PASSWORD,
            sentence=f"The password of {job.source_user} is not stored any more.",
            technical=str(exc),
            passes=False,
        )
        settling.settle_failure(run=run, diagnosis=found)
        return
    source = job.server.account(job.source_user, password)

    try:
        destination = destinations.open_destination(run)
    except destinations.NotOpen as exc:
        settling.settle_failure(run=run, diagnosis=_diagnose_entrance(exc, job))
        return
    if cluster_is_stopping():
        settling.give_back(run=run)
        return
    report = ProgressWriter(run, is_stopping=cluster_is_stopping)
    options = copy_options(
        job,
        dry_run=run.dry_run,
        allowance=None if run.dry_run else DayAllowance(run),
        most_a_day=largest_ever(job),
    )
    if destination is None:
        # Only our own engine can plan into a mailbox that is not there yet.
        runs.note_engine(run=run, engine=PipelineEngine.name)
        outcome = PipelineEngine().copy(source, None, options, report)
    else:
        outcome = engine.copy(source, destination, options, report)
    _settle(run, source, outcome, report)


def _settle(
    run: Run, source: Account, outcome: Outcome, report: ProgressWriter
) -> None:
    figures = report.figures(outcome)
    if outcome.verdict in {Verdict.COMPLETE, Verdict.SKIPPED}:
        settling.settle_outcome(run=run, outcome=outcome, figures=figures)
    elif report.stall is not None:
        settling.settle_failure(run=run, diagnosis=report.stall, figures=figures)
    elif report.hold is not None:
        settling.make_pause(run=run, hold=report.hold, figures=figures)
    elif outcome.failure is None:
        settling.settle_outcome(run=run, outcome=outcome, figures=figures)
    else:
        found = _diagnose(outcome.failure, source, run.job)
        settling.settle_failure(run=run, diagnosis=found, figures=figures)


def _diagnose(failure: ImapError, source: Account, job: Job) -> Diagnosis:
    """Return what kind of trouble it is.

    A refused login may be that of either side, and only one has a password that
    somebody can be asked for.
    """
    found = diagnose(failure, timezone.now())
    if found.trouble != Run.Trouble.PASSWORD:
        return found
    side = side_of(failure.message)
    if not side:
        try:
            check_login(source)
        except ImapError as exc:
            return diagnose(exc, timezone.now())
    if side == "source":
        return found
    if job.destination_server is not None:
        return replace(found, is_about_source=False)
    # The password is right, PurelyMail made it a moment ago.
    return replace(found, trouble=Run.Trouble.DESTINATION)


def _diagnose_entrance(problem: destinations.NotOpen, job: Job) -> Diagnosis:
    """Return why the destination did not open: another server has reasons of its own."""
    cause = problem.__cause__
    if job.destination_server is not None and isinstance(cause, ImapError):
        found = diagnose(cause, timezone.now())
        return replace(found, is_about_source=False)
    return Diagnosis(
        trouble=problem.trouble,
        sentence=problem.reason,
        technical=problem.technical,
        passes=problem.retry,
        is_about_source=False,
    )
