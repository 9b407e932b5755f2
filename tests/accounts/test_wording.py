from __future__ import annotations

from allauth.account.forms import ChangePasswordForm, LoginForm, ResetPasswordForm
from allauth.mfa.base.forms import AuthenticateForm
from django import forms

from purelymanage import wording
from purelymanage.accounts.forms import InvitePersonForm, OrganisationForm
from purelymanage.accounts.models import Organisation
from purelymanage.mailboxes.forms.creating import CreateMailboxForm
from purelymanage.migrations.forms import ServerForm
from tests.cast import CastTestCase

FRAMEWORK = (
    "This field is required.",
    "Enter a valid",
    "Select a valid",
    "Ensure this",
)
EVERYWHERE = [
    LoginForm,
    ChangePasswordForm,
    ResetPasswordForm,
    AuthenticateForm,
    InvitePersonForm,
    OrganisationForm,
    CreateMailboxForm,
    ServerForm,
]


class WordingTests(CastTestCase):
    def test_no_field_has_the_sentences_of_the_framework(self) -> None:
        for form in EVERYWHERE:
            fields: dict[str, forms.Field] = form.base_fields
            for name, field in fields.items():
                messages = map(str, field.error_messages.values())
                wrong = [it for it in messages if it.startswith(FRAMEWORK)]
                with self.subTest(form=form.__name__, field=name):
                    self.assertEqual(wrong, [])

    def test_the_page_to_sign_in_speaks_plainly(self) -> None:
        r = self.client.post("/accounts/login/", {"login": "x", "password": ""})
        self.assertContains(r, wording.NO_ADDRESS)
        self.assertContains(r, wording.REQUIRED)
        r = self.client.post(
            "/accounts/login/", {"login": "olga@example.org", "password": "wrong"}
        )
        self.assertContains(r, "do not belong together")

    def test_limits_are_told_plainly(self) -> None:
        form = OrganisationForm(
            {"grace_hours": "0", "name": "x" * 101},
            organisation=Organisation.objects.present(),
        )
        self.assertEqual(form.errors["grace_hours"], ["Write 1 or more."])
        self.assertEqual(
            form.errors["name"], ["At most 100 characters fit; these are 101."]
        )
