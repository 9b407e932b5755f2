from __future__ import annotations

from django import forms
from django.test import SimpleTestCase

from purelymanage.long_selects import LongSelect

CHOICES = [("", "Choose"), ("a.example", "a.example"), ('"><b', "<b> & co")]


class LongSelectTests(SimpleTestCase):
    def test_it_is_drawn_as_any_select(self) -> None:
        attrs = {"id": "id_domain", "required": True, "class": "wide", "title": '"'}
        for value in ("", "a.example", '"><b', "unknown"):
            with self.subTest(value=value):
                usual = forms.Select(choices=CHOICES).render("domain", value, attrs)
                drawn = LongSelect(choices=CHOICES).render("domain", value, attrs)
                self.assertHTMLEqual(drawn, usual)
