from __future__ import annotations

from typing import Any

from django_q.conf import Conf
from django_q.signing import SignedPackage

from purelymanage.broker import PulsingBroker


class CopyBroker(PulsingBroker):
    """The queue of copies as seen by one host: it takes no more than it has workers for.

    django-q fetches ahead, and what it has fetched no other host can begin.
    """

    # What falls due by the clock is looked for with each sign of life.
    every = 1.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._fetched: set[int] = set()

    def has_room(self) -> bool:
        # The models are not there yet when django-q imports this.
        from purelymanage.migrations.models import Run

        if len(self._fetched) >= Conf.WORKERS:
            busy = Run.objects.busy().filter(pk__in=self._fetched)
            self._fetched = set(busy.values_list("pk", flat=True))
        workers: int = Conf.WORKERS
        return len(self._fetched) < workers

    def dequeue(self) -> Any:
        from purelymanage.migrations.queue import TASK

        tasks = super().dequeue()
        for _, payload in tasks or ():
            task = SignedPackage.loads(payload)
            if task["func"] == TASK:
                self._fetched.add(task["args"][0])
        return tasks
