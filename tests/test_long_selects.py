from __future__ import annotations

from django import forms
from django.template.loader import render_to_string
from django.test import SimpleTestCase
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from purelymanage.long_selects import LongSelect

CHOICES = [
    ("", "Choose"),
    ("a.example", "a.example"),
    ('"><b', "<b> & co"),
    ("safe", SafeString("<i>&amp;</i>")),
    ("later", gettext_lazy("<later>")),
]


class LongSelectTests(SimpleTestCase):
    def test_it_is_drawn_as_any_select(self) -> None:
        attrs = {"id": "id_domain", "required": True, "class": "wide", "title": '"'}
        for value in ("", "a.example", '"><b', "unknown"):
            with self.subTest(value=value):
                usual = forms.Select(choices=CHOICES).render("domain", value, attrs)
                drawn = LongSelect(choices=CHOICES).render("domain", value, attrs)
                self.assertHTMLEqual(drawn, usual)

    def test_it_looks_like_any_select(self) -> None:
        class Form(forms.Form):
            domain = forms.ChoiceField(choices=CHOICES, widget=LongSelect)
            usual = forms.ChoiceField(choices=CHOICES)

        template = "components/_field.html"
        looks = [
            render_to_string(template, {"field": field}).replace(field.name, "it")
            for field in Form()
        ]
        self.assertHTMLEqual(looks[0].replace("Domain", "Usual"), looks[1])
