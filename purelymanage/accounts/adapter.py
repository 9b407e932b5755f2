from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as current
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from purelymanage.accounts.models import User
from purelymanage.accounts.security import operations
from purelymanage.accounts.security.held_back import note_held_back
from purelymanage.accounts.security.proof import has_fresh_proof
from purelymanage.audit.mail import queue_message


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # not typed
    error_messages = DefaultAccountAdapter.error_messages | {
        "account_inactive": "This person may not sign in any more.",
        "email_password_mismatch": "This e-mail address and this password do not "
        "belong together.",
        "enter_current_password": "This is not your present password.",
        "incorrect_password": "This is not your password.",
        "invalid_password_reset": "This link has been used, or is too old. Ask for "
        "another one.",
        "rate_limited": "That was too often. Wait some minutes and try again.",
        "too_many_login_attempts": "Too many failed attempts. Wait some minutes and "
        "try again.",
        "unknown_email": "Nobody here has this e-mail address.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """People are invited or made by `create_owner`, never by themselves."""
        return False

    def is_safe_url(self, url: str) -> bool:
        try:
            return bool(super().is_safe_url(url))
        except ValueError:  # no address at all
            return False

    def set_password(self, user: User, password: str) -> None:
        # Whoever came by a link from a mail is the person of that mailbox, whoever
        # else may be signed in.
        request = current.request
        is_own = request.user.pk == user.pk
        operations.replace_password(
            user=user,
            password=password,
            actor=user,
            except_key=request.session.session_key if is_own else None,
        )

    def reauthenticate(self, user: User, password: str) -> bool:
        # allauth looks for addresses in a table of its own, which we do without.
        found = self.authenticate(current.request, email=user.email, password=password)
        return found is not None and found.pk == user.pk

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            key = self._get_login_attempts_cache_key(request, **credentials)
            note_held_back(request, key=key, email=credentials.get("email", ""))
            raise

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        return not has_fresh_proof(current.request)

    def send_mail(
        self, template_prefix: str, email: str, context: dict[str, Any]
    ) -> None:
        filled = {"request": current.request, "email": email} | context
        queue_message(self.render_mail(template_prefix, email, filled))

    def send_notification_mail(
        self,
        template_prefix: str,
        user: User,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        super().send_notification_mail(
            template_prefix, user, context, email or user.email
        )
