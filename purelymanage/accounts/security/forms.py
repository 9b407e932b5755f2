"""allauth's forms, where it neither seals a secret nor says that a try failed."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.core import context
from allauth.mfa import signals
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY, TOTP
from allauth.mfa.utils import decrypt, encrypt
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from cryptography.exceptions import InvalidSignature
from django import forms
from django.core.exceptions import ValidationError

from purelymanage.accounts.security.held_back import note_held_back


class ActivateAppForm(ActivateTOTPForm):  # type: ignore[misc]  # not typed
    """Keeps the secret sealed while it waits in the session for the first code."""

    secret: str

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kept = context.request.session
        if not self.is_bound:
            kept[SECRET_SESSION_KEY] = encrypt(self.secret)
        elif ":" in self.secret:
            self.secret = decrypt(self.secret)
        else:  # the session had none any more, so this one was made just now
            kept[SECRET_SESSION_KEY] = encrypt(self.secret)

    def clean_code(self) -> str:
        code: str = super().clean_code()
        # It would fit once more at the sign-in, for as long as the app shows it.
        if not TOTP(Authenticator(user=self.user))._mark_code_used(code):
            raise get_adapter().validation_error("incorrect_code")
        return code


class CodeMixin:
    """Says when codes are not even looked at any more."""

    user: Any

    def clean_code(self) -> str:
        try:
            code: str = super().clean_code()  # type: ignore[misc]
        except ValidationError as exc:
            if exc.code == "too_many_login_attempts":
                key = f"mfa-auth-user-{self.user.pk}"
                note_held_back(context.request, key=key, email=self.user.email)
            raise
        return code


class AuthenticateCodeForm(CodeMixin, AuthenticateForm):  # type: ignore[misc]
    pass


class ReauthenticateCodeForm(CodeMixin, ReauthenticateForm):  # type: ignore[misc]
    pass


@contextmanager
def refusing_nonsense() -> Iterator[None]:
    """Turn what the library makes of answers that no browser gives into a refusal."""
    try:
        yield
    except (
        AttributeError,
        InvalidSignature,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
        struct.error,
    ) as exc:
        raise get_adapter().validation_error("incorrect_code") from exc


class CredentialField(forms.JSONField):
    """Refuses what is nested too deep to be read."""

    def __init__(self) -> None:
        super().__init__(widget=forms.HiddenInput)

    def to_python(self, value: Any) -> Any:
        with refusing_nonsense():
            return super().to_python(value)


class AddPasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    credential = CredentialField()

    def clean(self) -> dict[str, Any]:
        with refusing_nonsense():
            cleaned: dict[str, Any] = super().clean()
        return cleaned


class PasskeyMixin:
    """Says when a passkey did not fit."""

    reauthenticated: bool
    user: Any

    def clean_credential(self) -> Authenticator:
        try:
            with refusing_nonsense():
                return super().clean_credential()  # type: ignore[misc]
        except ValidationError:
            signals.authentication_failed.send(
                sender=Authenticator,
                request=context.request,
                user=self.user,
                authenticator=Authenticator(type=Authenticator.Type.WEBAUTHN),
                reauthentication=self.reauthenticated,
            )
            raise


class AuthenticatePasskeyForm(PasskeyMixin, AuthenticateWebAuthnForm):  # type: ignore[misc]
    credential = CredentialField()


class ReauthenticatePasskeyForm(PasskeyMixin, ReauthenticateWebAuthnForm):  # type: ignore[misc]
    credential = CredentialField()


class LoginPasskeyForm(PasskeyMixin, LoginWebAuthnForm):  # type: ignore[misc]
    credential = CredentialField()
