from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet

from purelymanage.migrations import queue, troubles
from purelymanage.migrations.models import Batch, Job, Run

STATES = [state.value for state in Run.State]
NEVER_RAN = "new"
AT_ONCE = 500


class Command(BaseCommand):
    help = "List the copies with their state, and why those that wait do so."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--batch", type=int, help="only those of this batch")
        parser.add_argument(
            "--state",
            choices=[*STATES, NEVER_RAN],
            help=f"only those whose newest run is in this state, or has not been ({NEVER_RAN})",
        )
        parser.add_argument(
            "--json", action="store_true", help="print all figures as JSON"
        )

    def handle(self, *, batch: int | None, state: str | None, **options: Any) -> None:
        jobs = Job.objects.present().order_by("pk")
        if batch is not None:
            if not Batch.objects.confirmed().filter(pk=batch).exists():
                raise CommandError(f"There is no batch {batch}.")
            jobs = jobs.filter(batch=batch)
        facts = _all_facts(jobs, state)
        if options["json"]:
            self.stdout.write(json.dumps(list(facts), indent=2))
            return
        for it in facts:
            words = it["waiting"] or it["failure"]
            line = f"{it['id']}  {it['source']} to {it['destination']}: {it['state']}"
            self.stdout.write(f"{line}. {words}" if words else line)


def _all_facts(jobs: QuerySet[Job], state: str | None) -> Iterator[dict[str, Any]]:
    related = jobs.select_related("server", "destination_server", "batch")
    everything = related.defer("batch__sheet").iterator(chunk_size=AT_ONCE)
    while some := list(islice(everything, AT_ONCE)):
        newest = Run.objects.newest_of_jobs().filter(job__in=some)
        runs = {run.job_id: run for run in newest.defer("log", "samples")}
        waiting = queue.why_waiting(list(runs.values()))
        for job in some:
            run = runs.get(job.pk)
            if state in {None, run.state if run else NEVER_RAN}:
                yield _facts(job, run, waiting)


def _facts(job: Job, run: Run | None, waiting: dict[int, str]) -> dict[str, Any]:
    into = job.destination_server
    facts: dict[str, Any] = {
        "id": job.pk,
        "batch": job.batch_id,
        "source": job.source_user,
        "server": job.server.name,
        "destination": job.destination,
        "destination_server": into.name if into is not None else None,
        "needs_password": job.needs_password,
        "state": run.state if run else NEVER_RAN,
        "waiting": "",
        "failure": job.login_words if job.login == Job.Login.WRONG else "",
    }
    if run is None:
        return facts
    times = {
        name: moment and moment.isoformat()
        for name, moment in (
            ("queued_at", run.queued_at),
            ("not_before", run.not_before),
            ("started_at", run.started_at),
            ("finished_at", run.finished_at),
        )
    }
    return facts | {
        "waiting": waiting.get(run.pk, ""),
        "failure": run.failure or facts["failure"],
        "trouble": run.trouble,
        "next_step": troubles.next_step(run),
        "dry_run": run.dry_run,
        "engine": run.engine,
        "host": run.host,
        "attempts": run.attempt,
        "phase": run.phase,
        "verdict": run.verdict,
        "messages": run.messages,
        "bytes": run.bytes,
        "already_there": run.already_there,
        "to_copy": run.to_copy_in_all,
        "messages_copied": run.copied_in_all,
        "bytes_copied": run.bytes_copied_in_all,
        "messages_failed": run.failed,
        **times,
    }
