"""A session that has just proven itself, as if the person had signed in by hand."""

from __future__ import annotations

import time

from allauth.account.internal.flows.login import (
    _AUTHENTICATION_METHODS_USER_SESSION_KEY as WHOSE,
)
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.test import Client


def prove(
    client: Client,
    *,
    ago: float = 0,
    session: SessionBase | None = None,
    reauthenticated: bool = False,
) -> None:
    """Write a proof `ago` seconds old into the session of somebody signed in."""
    session = session or client.session
    session[WHOSE] = session[SESSION_KEY]
    proof = {"method": "password", "at": time.time() - ago}
    if reauthenticated:
        proof["reauthenticated"] = True
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [proof]
    session.save()
