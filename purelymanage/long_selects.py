"""Selects that offer a thousand choices."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms.renderers import BaseRenderer
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

SELECTED = flatatt({"selected": True})


class LongSelect(forms.Select):
    """A select of a thousand domains: drawn at once, not by a template for each."""

    def render(
        self,
        name: str,
        value: Any,
        attrs: dict[str, Any] | None = None,
        renderer: BaseRenderer | None = None,
    ) -> SafeString:
        chosen = set(self.format_value(value))
        # As far as no choice is made a dictionary of.
        widget = forms.Widget.get_context(self, name, value, attrs)["widget"]
        words = ((str(it), label) for it, label in self.choices)
        options = format_html_join(
            "",
            '<option value="{}"{}>{}</option>',
            ((it, SELECTED if it in chosen else "", label) for it, label in words),
        )
        attributes = flatatt({"name": widget["name"], **widget["attrs"]})
        return format_html("<select{}>{}</select>", attributes, options)
