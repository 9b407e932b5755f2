from __future__ import annotations

from purelymanage.audit.naming import AnyEvent


class PanelEvent(AnyEvent):
    """What happens to the panel itself: how it is set up, and who is let out of it."""

    SESSION_IDLE = (
        "person.session_idle",
        "ended the session of {target} in {device}, unused for {hours} hours",
    )
    TOKEN_CHECK_REQUESTED = "panel.token_check_requested", "asked to check {target}"
    TOKEN_CHECKED = "panel.token_checked", "checked {target}: {result}"
    SETUP_STEP_PUT_OFF = "panel.setup_step_put_off", "put off {step} of {target}"
    TEST_MAIL_ARRIVED = (
        "panel.test_mail_arrived",
        "said that the test mail to {target} has arrived",
    )
    SETUP_FINISHED = "panel.setup_finished", "finished {target}"
