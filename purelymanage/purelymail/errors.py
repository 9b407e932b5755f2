from __future__ import annotations

from django.conf import settings

from purelymanage import operating

INVALID_TOKEN = "invalidToken"  # noqa: S105  # the code of a refusal
TOKEN_REFUSED = "PurelyMail refused the panel's token"  # noqa: S105  # no secret


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


class NoToken(NotSent):
    """There is nothing to ask PurelyMail with."""

    message = (
        "No PurelyMail token is set: put it into PURELYMAIL_API_TOKEN or into a file "
        "named by PURELYMAIL_API_TOKEN_FILE."
    )


class NotApplied(PurelymailError):
    """PurelyMail said it was done, but reading back shows that nothing changed."""

    message = "PurelyMail said it was done, but nothing changed."


def explained(error: PurelymailError) -> tuple[str, str]:
    """Return what is wrong with the way to PurelyMail, and what to do about it.

    For whoever runs the panel; each place that tells of it tells it in these words.
    """
    if isinstance(error, NoToken):
        return error.message, "It is made at purelymail.com/manage/account."
    if not isinstance(error, Rejected):
        url = settings.PURELYMAIL_API_URL
        return error.message, f"See whether this machine reaches {url}."
    if error.is_about_token:
        return (
            f"{TOKEN_REFUSED}: {error.message}",
            f"Set {operating.where('PURELYMAIL_API_TOKEN')} to the one shown at "
            "purelymail.com/manage/account, and restart the panel.",
        )
    return (
        f"PurelyMail refused to be read: {error.message}",
        "See at purelymail.com/manage whether the account is in order.",
    )
