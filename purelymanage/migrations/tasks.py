from __future__ import annotations

import logging
import socket

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from purelymanage import crypto
from purelymanage.imap.account import Account
from purelymanage.imap.errors import ImapError, LoginRefused
from purelymanage.imap.login import check_login
from purelymanage.migrations import destinations, queue
from purelymanage.migrations.engines import EngineUnavailable, get_engine
from purelymanage.migrations.engines.pipeline.engine import PipelineEngine
from purelymanage.migrations.models import Run
from purelymanage.migrations.operations import (
    app_passwords,
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

    try:
        _carry_out(run)
    except (OperationalError, InterfaceError):
        connection.close()
        settling.give_back(run=run)
        raise
    except Exception as exc:
        settling.settle_failure(
            run=run,
            trouble=Run.Trouble.OTHER,
            reason="The panel made a mistake. Its log says more.",
            # Only the kind: the text might quote anything.
            technical=type(exc).__name__,
        )
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


def _carry_out(run: Run) -> None:
    try:
        engine = get_engine(settings.MIGRATION_ENGINE)
    except EngineUnavailable as exc:
        settling.settle_failure(run=run, trouble=Run.Trouble.OTHER, reason=str(exc))
        return
    runs.note_engine(run=run, engine=engine.name)

    try:
        password = secrets.open_secret(run.job)
    except crypto.Unreadable as exc:
        settling.settle_failure(
            run=run,
            trouble=Run.Trouble.PASSWORD,
            reason=f"The password of {run.job.source_user} is not stored any more.",
            technical=str(exc),
        )
        return
    source = run.job.server.account(run.job.source_user, password)

    try:
        destination = destinations.open_destination(run)
    except destinations.NotOpen as exc:
        settling.settle_failure(
            run=run,
            trouble=exc.trouble,
            reason=exc.reason,
            technical=exc.technical,
            retry=exc.retry,
        )
        return
    report = ProgressWriter(run, is_stopping=cluster_is_stopping)
    options = copy_options(run.job, dry_run=run.dry_run, most_bytes=None)
    if destination is None:
        # Only our own engine can plan into a mailbox that is not there yet.
        runs.note_engine(run=run, engine=PipelineEngine.name)
        outcome = PipelineEngine().copy(source, None, options, report)
    else:
        outcome = engine.copy(source, destination, options, report)
    figures = report.figures(outcome)
    if outcome.failure is None:
        settling.settle_outcome(run=run, outcome=outcome, figures=figures)
        return
    trouble, retry = _diagnose(outcome.failure, source)
    settling.settle_failure(
        run=run,
        trouble=trouble,
        reason=outcome.failure.message,
        technical=outcome.failure.technical,
        retry=retry,
        figures=figures,
    )


def _diagnose(failure: ImapError, source: Account) -> tuple[Run.Trouble, bool]:
    """Return what kind of trouble it is and whether trying again may help.

    A refused login may be that of either side, and only one has a password that
    somebody can be asked for.
    """
    if isinstance(failure, LoginRefused):
        try:
            check_login(source)
        except ImapError as exc:
            failure = exc
        else:
            return Run.Trouble.DESTINATION, True
    return settling.trouble_of(failure), failure.retry
