from __future__ import annotations

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from purelymanage.accounts import passwords
from purelymanage.accounts.models import User
from tests.cast import PASSWORD, CastTestCase


def test_what_others_know_makes_a_password_weak() -> None:
    known = ["zanderzoe", "examplehouse.org"]
    assert passwords.rate("zanderzoe1", known=[]).score > 1
    strength = passwords.rate("zanderzoe1", known=known)
    assert strength.score < passwords.GOOD_ENOUGH
    assert not strength.is_good_enough
    assert strength.tone == "attention"
    assert strength.advice


def test_a_very_long_password_is_rated_quickly() -> None:
    assert passwords.rate("correct horse " * 100, known=[""]).is_good_enough


@pytest.mark.parametrize(
    "password", ["Password123456", "qwertyuiop1234", "lovelaceadam1", "aaaaaaaaaaaaaaa"]
)
def test_people_cannot_take_what_is_guessed_soon(password: str) -> None:
    adam = User(email="adam@lovelace.example", name="Adam Lovelace")
    with pytest.raises(ValidationError) as caught:
        validate_password(password, user=adam)
    assert "too easy to guess" in " ".join(caught.value.messages)


def test_people_may_take_what_is_hard_to_guess() -> None:
    validate_password("slow-otters-paint-bridges", user=User(email="a@example.org"))


class ChangePasswordTests(CastTestCase):
    def test_a_change_asks_for_a_good_one(self) -> None:
        self.client.force_login(self.adam)
        form = {"oldpassword": PASSWORD, "password1": "adam@example.org"}
        form["password2"] = form["password1"]
        r = self.client.post("/accounts/password/change/", form)
        self.assertContains(r, "easy to guess")
        self.adam.refresh_from_db()
        self.assertTrue(self.adam.check_password(PASSWORD))
