from __future__ import annotations

import time
from typing import Any

from django.core.cache import cache
from django.db import InterfaceError, OperationalError, connection
from django.dispatch import Signal
from django_q.brokers.orm import ORM
from django_q.conf import Conf

from purelymanage import service_manager, task_queue
from purelymanage.signed_tasks import signed_anew

CLUSTERS = ("default", "migrations")
GONE_AFTER = 30
AGAIN_AFTER = 1.0  # seconds, where the database does not answer
SIGNS = f"{service_manager.READY}\n{service_manager.ALIVE}"
# Sent with each sign of life outside transactions, with the name of the `cluster` and
# what its workers have `in_hand`, by their processes.
pulse = Signal()


class PulsingBroker(ORM):  # type: ignore[misc]  # django-q2 is not typed
    """The queue in PostgreSQL, which also notes that a cluster is asking for work.

    django-q2's own statistics do not say which cluster they are about.
    """

    every = 5.0  # seconds between two signs of life
    _pulsed_at = 0.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A cluster makes its broker first, and then the queue for its workers.
        task_queue.install()

    def has_room(self) -> bool:
        """Whether the workers of this host can begin something."""
        return True

    def in_hand(self) -> dict[int, str]:
        """Return what the workers have written down of their work, where they do."""
        return {}

    def set_stat(self, key: str, value: str, timeout: int) -> None:
        """Write down the state of a cluster, which a copy asks whether to stop."""
        try:
            super().set_stat(key, value, timeout)
        except (OperationalError, InterfaceError):
            # django-q would go on for minutes with a connection that is broken.
            connection.close()

    def dequeue(self) -> Any:
        """Fetch what is to be done next; django-q would pause for ten seconds."""
        # Without the database as well: to be started again would not bring it back.
        service_manager.tell_now_and_then(SIGNS)
        try:
            return self._dequeue()
        except (OperationalError, InterfaceError):
            connection.close()
            time.sleep(AGAIN_AFTER)
            return None

    def _dequeue(self) -> Any:
        now = time.monotonic()
        if now - self._pulsed_at >= self.every:
            cache.set(f"pulse:{self.list_key}", "asks for work", GONE_AFTER)
            self._pulsed_at = now
            pulse.send_robust(type(self), cluster=self.list_key, in_hand=self.in_hand())
        if not self.has_room():
            time.sleep(Conf.POLL)
            return None
        tasks = super().dequeue()
        return tasks and [(key, signed_anew(payload)) for key, payload in tasks]


def silent_clusters() -> list[str]:
    """Return the clusters that have not asked for work in the last 30 seconds."""
    alive = cache.get_many([f"pulse:{name}" for name in CLUSTERS])
    return [name for name in CLUSTERS if f"pulse:{name}" not in alive]
