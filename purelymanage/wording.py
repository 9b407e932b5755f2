"""What forms say when the framework has a sentence of its own, in the panel's words."""

from __future__ import annotations

from django import forms
from django.core import validators

REQUIRED = "Fill this in."
NO_ADDRESS = "This is no e-mail address. Write it like name@example.org."
NO_NUMBER = "Write a number."
NOT_OFFERED = "Choose one of those that are offered."


def use_plain_words() -> None:
    """Take our own sentences in every form, those of allauth as well.

    Comes before any form is imported: fields take them when they are made.
    """
    forms.Field.default_error_messages = {"required": REQUIRED}
    forms.IntegerField.default_error_messages = {"invalid": "Write a whole number."}
    forms.FloatField.default_error_messages = {"invalid": NO_NUMBER}
    forms.DecimalField.default_error_messages = {"invalid": NO_NUMBER}
    for choice in (
        forms.ChoiceField,
        forms.MultipleChoiceField,
        forms.ModelChoiceField,
    ):
        choice.default_error_messages = choice.default_error_messages | {
            "invalid_choice": NOT_OFFERED
        }

    validators.EmailValidator.message = NO_ADDRESS
    validators.MinValueValidator.message = "Write %(limit_value)s or more."
    validators.MaxValueValidator.message = "Write %(limit_value)s or less."
    validators.MaxLengthValidator.message = (
        "At most %(limit_value)d characters fit; these are %(show_value)d."
    )
    validators.ProhibitNullCharactersValidator.message = (
        "There is an invisible character in it."
    )
