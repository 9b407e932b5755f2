from __future__ import annotations

from io import BytesIO

import qrcode
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from qrcode.image.svg import SvgPathFillImage

from purelymanage import crypto
from purelymanage.accounts.models import User
from purelymanage.accounts.security.sealing import place_of


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # not typed
    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "This does not fit. A code works once, and only while it is "
        "shown; if codes never fit, look at the clock of the device.",
        "cannot_generate_recovery_codes": "Set up an authenticator app or a passkey "
        "first.",
    }

    def encrypt(self, text: str) -> str:
        return crypto.seal(text, bound_to=place_of(_person().pk))

    def decrypt(self, encrypted_text: str) -> str:
        return crypto.unseal(encrypted_text, bound_to=place_of(_person().pk))

    def build_totp_svg(self, url: str) -> str:
        # On white, as cameras do not read a code in dark colours.
        drawn = BytesIO()
        qrcode.make(url, image_factory=SvgPathFillImage, border=3).save(drawn)
        return drawn.getvalue().decode()

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        count = Authenticator.objects.filter(user=user, type=type).count()
        return f"Passkey {count + 1}" if count else "Passkey"


def _person() -> User:
    """Return whose secret is dealt with: signed in, or on the way in."""
    request = context.request
    if request.user.is_authenticated:
        person: User = request.user
    else:
        person = request._login_stage.login.user
    return person
