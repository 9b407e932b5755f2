from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict

from purelymanage.accounts.passwords import Strength, rate
from purelymanage.mailboxes import passwords
from purelymanage.mailboxes.models import AppPassword, Mailbox

AS_WRITTEN = {"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}
RESET_HELP = (
    "Through a recovery method, without asking you. When this is off, the mail in it "
    "is lost with the password, unless the administrator of the PurelyMail account "
    "opens it."
)


class PasswordForm(forms.Form):
    """A password for a mailbox, made or typed."""

    # Shown as it is typed: whoever makes a password has to pass it on.
    password = forms.CharField(
        max_length=200,
        strip=False,
        widget=forms.TextInput(attrs=AS_WRITTEN),
        error_messages={"required": "Write a password, or take the one made for you."},
    )

    @property
    def names(self) -> list[str]:
        """What somebody who guesses would try first."""
        return []

    def rate_password(self) -> Strength:
        known = passwords.known_words(*self.names)
        return rate(self["password"].value() or "", known=known)

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if objection := passwords.object_to_password(password):
            raise forms.ValidationError(objection)
        strength = self.rate_password()
        if not strength.is_good_enough:
            raise forms.ValidationError(passwords.say_weak(strength))
        return password


class ResetPasswordForm(PasswordForm):
    """Offers besides what goes well with a new password, where there is something."""

    allow_reset = forms.BooleanField(
        label="The owner may reset the password from now on",
        required=False,
        help_text="Through a recovery method, without asking you. PurelyMail switches "
        "this on only together with a new password. While it is off, the mail is lost "
        "with the password, unless the administrator of the PurelyMail account opens "
        "it.",
    )
    revoke_app_passwords = forms.BooleanField(required=False)

    def __init__(
        self,
        data: QueryDict | None,
        *,
        mailbox: Mailbox,
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=initial)
        self.mailbox = mailbox
        if mailbox.reset_allowed:
            del self.fields["allow_reset"]
        kept = AppPassword.objects.of_people().filter(address=mailbox.address).count()
        if kept:
            many = f"{kept} app passwords" if kept > 1 else "app password"
            self.fields["revoke_app_passwords"].label = f"Revoke the {many} made here"
        else:
            del self.fields["revoke_app_passwords"]

    @property
    def names(self) -> list[str]:
        return [self.mailbox.local_part, self.mailbox.domain]
