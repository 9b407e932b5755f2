from __future__ import annotations

from purelymanage.accounts import sessions


def forget_old_sessions() -> str:
    return f"{sessions.forget_old_sessions()} forgotten"
