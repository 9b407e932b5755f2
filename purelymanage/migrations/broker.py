from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django_q.conf import Conf
from django_q.signing import SignedPackage

from purelymanage.broker import PulsingBroker
from purelymanage.worker_watch import WorkerWatch


class CopyBroker(PulsingBroker):
    """The queue of copies as seen by one host: it takes no more than it has workers for.

    django-q fetches ahead, and what it has fetched no other host can begin.
    """

    # What falls due by the clock is looked for with each sign of life.
    every = 1.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # What was fetched, and when it had been handed out: later is another turn.
        self._fetched: dict[int, datetime | None] = {}
        self._tasks: dict[str, int] = {}
        self._watch = WorkerWatch()
        self._left: list[str] = []

    def has_room(self) -> bool:
        if len(self._fetched) >= Conf.WORKERS:
            self._forget_done()
        workers: int = Conf.WORKERS
        return len(self._fetched) < workers

    def in_hand(self) -> dict[int, str]:
        return self._watch.in_hand()

    def _dequeue(self) -> Any:
        from purelymanage.migrations.queue import TASK

        self._mourn()
        tasks = super()._dequeue()
        for _, payload in tasks or ():
            task = SignedPackage.loads(payload)
            if task["func"] == TASK:
                pk = task["args"][0]
                self._fetched[pk] = self._busy([pk]).get(pk)
                self._tasks[task["id"]] = pk
        return tasks

    def _mourn(self) -> None:
        """Give back at once what a worker held that was killed: its slot is free."""
        from purelymanage.migrations import queue
        from purelymanage.migrations.operations import settling

        self._left += self._watch.left_behind()
        while self._left:
            kind, *words = self._left[0].split()
            if kind == "run":
                pk, attempt = map(int, words)
                settling.give_back_lost(pk=pk, attempt=attempt)
            elif (pk := self._tasks.get(words[0], 0)) in self._fetched:
                # It died before it had claimed what it took.
                queue.take_back_one(pk=pk, handed_at=self._fetched[pk])
                queue.dispatch()
            # Only now: the database may have been away.
            self._left.pop(0)

    def _forget_done(self) -> None:
        """Drop what has ended, was given back, or was handed out once more since."""
        now = self._busy(self._fetched)
        self._fetched = {
            pk: handed_at
            for pk, handed_at in self._fetched.items()
            if pk in now and now[pk] in {None, handed_at}
        }
        self._tasks = {
            key: pk for key, pk in self._tasks.items() if pk in self._fetched
        }

    def _busy(self, pks: Iterable[int]) -> dict[int, datetime | None]:
        """Return when those were handed out that hold a slot; None if they run."""
        # The models are not there yet when django-q imports this.
        from purelymanage.migrations.models import Run

        busy = Run.objects.busy().filter(pk__in=list(pks))
        return dict(busy.values_list("pk", "handed_at"))
