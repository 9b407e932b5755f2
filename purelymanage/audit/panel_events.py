from __future__ import annotations

from purelymanage.audit.naming import AnyEvent


class PanelEvent(AnyEvent):
    """What the panel itself does to keep strangers out."""

    SESSION_IDLE = (
        "person.session_idle",
        "ended the session of {target} in {device}, unused for {hours} hours",
    )
