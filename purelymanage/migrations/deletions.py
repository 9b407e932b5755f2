"""What deletions mean for copies: they stop, and none begins into what will go."""

from __future__ import annotations

from purelymanage.audit.log import Actor
from purelymanage.deletions.impact import Account, Line, count
from purelymanage.deletions.models import Kind
from purelymanage.deletions.registry import Companion
from purelymanage.migrations.models import Run
from purelymanage.migrations.models.runs import RunQuerySet
from purelymanage.migrations.operations.runs import stop


def _open_runs(kind: str, keys: list[str]) -> RunQuerySet:
    runs = Run.objects.open().select_related("job")
    if kind == Kind.MAILBOX:
        # At another server the same address is another mailbox.
        return runs.filter(job__destination__in=keys, job__destination_server=None)
    if kind == Kind.DOMAIN:
        return runs.filter(job__destination_domain__in=keys)
    return runs.none()


def _lines(kind: str, keys: list[str], account: Account) -> dict[str, list[Line]]:
    runs: dict[str, list[Run]] = {}
    for run in _open_runs(kind, keys):
        is_mailbox = kind == Kind.MAILBOX
        key = run.job.destination if is_mailbox else run.job.destination_domain
        runs.setdefault(key, []).append(run)
    return {key: [_line(theirs)] for key, theirs in runs.items()}


def _line(runs: list[Run]) -> Line:
    names = {(run.job.destination, run.job.destination_domain): None for run in runs}
    copies = count(len(runs), "copy", "copies")
    ends = "It is stopped now." if len(runs) == 1 else "They are stopped now."
    ends += " What is copied from stays as it is."
    return Line("move", f"{copies} into it", "", ends, tuple(names))


def _freeze(kind: str, keys: list[str], actor: Actor) -> None:
    # All rows are locked before the first entry locks the audit log.
    runs = _open_runs(kind, keys).select_for_update(of=("self",)).order_by("pk")
    for run in list(runs):
        stop(run, actor)


COMPANION = Companion(lines=_lines, freeze=_freeze)
