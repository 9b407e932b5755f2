from __future__ import annotations

import os
import socket

from django.core.cache import cache
from django_q.conf import Conf
from django_q.signing import BadSignature, SignedPackage


def cluster_is_stopping() -> bool:
    """Tell whether the cluster this worker belongs to has been asked to stop.

    django-q waits for its workers without telling them. A copy may take hours, so it
    must find out by itself, give its run back and leave. The clusters write their
    state to the cache; django-q's own reader writes there too, hence not that one.
    """
    parent, host = os.getppid(), socket.gethostname()
    packages = cache.get_many(cache.get(Conf.Q_STAT) or [])
    for package in packages.values():
        try:
            state = SignedPackage.loads(package)
        except BadSignature:
            continue
        if (state.sentinel, state.host) == (parent, host):
            return bool(state.status == Conf.STOPPING)
    return False
