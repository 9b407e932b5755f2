"""Trying the logins of imported jobs, several at once, before anything runs."""

from __future__ import annotations

import logging
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from purelymanage import crypto
from purelymanage.imap.errors import ImapError, LoginRefused
from purelymanage.imap.login import check_login
from purelymanage.migrations.logins import advice
from purelymanage.migrations.models import Job, Server
from purelymanage.migrations.operations import batches, logins, password_tables
from purelymanage.migrations.operations.logins import NOT_STORED, Finding
from purelymanage.migrations.operations.secrets import (
    open_destination_secret,
    open_secret,
)
from purelymanage.migrations.presets import BY_KEY

logger = logging.getLogger(__name__)

# Seconds that one login may take, and after which other tasks have their turn.
PATIENCE = 15.0
SLICE = 20.0


def try_logins(server_id: int) -> str:
    """Try what is due at a server for a while. Others may do the same elsewhere."""
    until = time.monotonic() + SLICE
    under_way: dict[Future[Finding], Job] = {}
    tried = 0
    with ThreadPoolExecutor(logins.MOST_AT_ONCE) as pool:
        while True:
            free = logins.MOST_AT_ONCE - len(under_way)
            if free and time.monotonic() < until:
                for job in logins.claim_logins(server_id=server_id, most=free):
                    under_way[pool.submit(try_login, job)] = job
            if not under_way:
                break
            done, _ = wait(under_way, return_when=FIRST_COMPLETED)
            for future in done:
                job = under_way.pop(future)
                logins.settle_login(job=job, finding=future.result())
                tried += 1
    if time.monotonic() >= until and logins.has_due(server_id):
        logins.hand_on(server_id)
    return f"{tried} tried"


def try_login(job: Job) -> Finding:
    """See whether the mailboxes of a job let us in. Touches no database."""
    server = job.server
    try:
        source = server.account(job.source_user, open_secret(job))
        check_login(source, timeout=PATIENCE)
        if job.destination_server is not None:
            server = job.destination_server
            there = server.account(job.destination, open_destination_secret(job))
            check_login(there, timeout=PATIENCE)
    except crypto.Unreadable:
        return Finding(Job.Login.UNKNOWN, NOT_STORED)
    except LoginRefused as exc:
        return Finding(Job.Login.WRONG, _words(exc, server))
    except ImapError as exc:
        return Finding(Job.Login.UNKNOWN, _words(exc, server), retry=exc.retry)
    except Exception as exc:
        # Only the kind: the text might quote anything.
        logger.error("Login of job %s: %s", job.pk, type(exc).__name__)
        return Finding(
            Job.Login.UNKNOWN, "The panel made a mistake. Its log says more."
        )
    return Finding(Job.Login.RIGHT)


def sweep() -> str:
    """Go on where workers died or pauses ended, and forget drafts nobody wants."""
    servers = logins.due_servers()
    for server_id in servers:
        logins.hand_on(server_id)
    deleted = batches.wipe_old_drafts() + password_tables.wipe_old_tables()
    return f"{len(servers)} servers, {deleted} drafts deleted"


def _words(problem: ImapError, server: Server) -> str:
    """Say what went wrong and what to do, as it is with this provider."""
    preset = BY_KEY.get(server.preset)
    if preset is not None and isinstance(problem, LoginRefused):
        return f"{problem.message} {preset.advice}"
    return f"{problem.message} {advice(problem)}"
