"""Selects that offer a thousand choices."""

from __future__ import annotations

from html import escape
from typing import Any

from django import forms
from django.forms.renderers import BaseRenderer
from django.forms.utils import flatatt
from django.utils.html import conditional_escape, format_html
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
        options = "".join(
            f'<option value="{_escaped(it)}"{SELECTED if it in chosen else ""}>'
            f"{_escaped(label)}</option>"
            for it, label in words
        )
        attributes = flatatt({"name": widget["name"], **widget["attrs"]})
        # All of it has been escaped.
        return format_html("<select{}>{}</select>", attributes, SafeString(options))


def _escaped(words: Any) -> str:
    # Most are plain, and to ask each how it wants to be drawn takes three times as long.
    return escape(words) if type(words) is str else conditional_escape(words)
