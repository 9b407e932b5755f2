from __future__ import annotations

from gunicorn.workers.gthread import ThreadWorker

from purelymanage import service_manager


class WatchedWorker(ThreadWorker):  # type: ignore[misc]  # not typed
    """Tells systemd that requests are being accepted.

    gunicorn itself kills a process whose loop hangs; this is for when all of them do.
    """

    def notify(self) -> None:
        super().notify()
        service_manager.tell_now_and_then(service_manager.ALIVE)
