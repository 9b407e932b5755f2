from __future__ import annotations

INVALID_TOKEN = "invalidToken"  # noqa: S105  # the code of a refusal


class PurelymailError(Exception):
    """A call that did not work. `message` may be shown to the person who asked."""

    message = "PurelyMail did not carry out the request."

    def __init__(self, message: str = "") -> None:
        self.message = message or self.message
        super().__init__(self.message)


class Rejected(PurelymailError):
    """PurelyMail answered, and the answer was no. Asking again will not help.

    Most codes are not documented: only `is_about_token` may be branched on.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    @property
    def is_about_token(self) -> bool:
        return self.code == INVALID_TOKEN


class Unavailable(PurelymailError):
    """No usable answer. The request may have been carried out all the same."""

    message = "PurelyMail could not be reached. Try again in a few minutes."


class Unreadable(Unavailable):
    """An answer came, but in a shape that nobody described."""

    message = (
        "PurelyMail gave an answer that cannot be read. Try again in a few minutes."
    )


class NotSent(Unavailable):
    """The request never left: it has certainly not been carried out."""


class NotApplied(PurelymailError):
    """PurelyMail said it was done, but reading back shows that nothing changed."""

    message = "PurelyMail said it was done, but nothing changed."
