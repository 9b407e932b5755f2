from __future__ import annotations

import time
from typing import Any

from django.core.cache import cache
from django.dispatch import Signal
from django_q.brokers.orm import ORM
from django_q.conf import Conf

CLUSTERS = ("default", "migrations")
GONE_AFTER = 30
# Sent with each sign of life, with the name of the `cluster`, outside transactions.
pulse = Signal()


class PulsingBroker(ORM):  # type: ignore[misc]  # django-q2 is not typed
    """The queue in PostgreSQL, which also notes that a cluster is asking for work.

    django-q2's own statistics do not say which cluster they are about.
    """

    every = 5.0  # seconds between two signs of life
    _pulsed_at = 0.0

    def has_room(self) -> bool:
        """Whether the workers of this host can begin something."""
        return True

    def dequeue(self) -> Any:
        now = time.monotonic()
        if now - self._pulsed_at >= self.every:
            cache.set(f"pulse:{self.list_key}", "asks for work", GONE_AFTER)
            self._pulsed_at = now
            pulse.send_robust(type(self), cluster=self.list_key)
        if not self.has_room():
            time.sleep(Conf.POLL)
            return None
        return super().dequeue()


def silent_clusters() -> list[str]:
    """Return the clusters that have not asked for work in the last 30 seconds."""
    alive = cache.get_many([f"pulse:{name}" for name in CLUSTERS])
    return [name for name in CLUSTERS if f"pulse:{name}" not in alive]
