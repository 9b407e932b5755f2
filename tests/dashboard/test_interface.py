from __future__ import annotations

from datetime import timedelta

import pytest
from django import forms
from django.template import Context, Template
from django.utils import timezone

from purelymanage.dashboard import marks
from purelymanage.dashboard.templatetags.interface import address, ago
from purelymanage.figures import in_bytes, thin


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (None, ""),
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (12_345, "12 kB"),
        (999_960, "1.0 MB"),
        (3_600_000, "3.6 MB"),
        (14_700_000_000, "14.7 GB"),
        (214_700_000_000, "215 GB"),
    ],
)
def test_sizes_are_written_as_providers_do(size: int | None, words: str) -> None:
    assert in_bytes(size).replace("\u00a0", " ") == words


def test_long_addresses_break_between_words() -> None:
    assert address("zoe@example.org") == "zoe@example.org"
    assert address("<i>@example.org") == "&lt;i&gt;@example.org"
    broken = address("olivia.brandt-relations@shop.example")
    assert broken == "olivia<wbr>.brandt-relations<wbr>@shop<wbr>.example"


def test_counts_have_thin_separators() -> None:
    assert thin(18204) == "18\u202f204"
    assert thin(7) == "7"
    assert thin(None) == ""


@pytest.mark.parametrize(
    ("since", "words"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(seconds=61), "1 minute ago"),
        (timedelta(minutes=4, seconds=5), "4 minutes ago"),
        (timedelta(minutes=59, seconds=50), "1 hour ago"),
        (timedelta(hours=23, minutes=50), "1 day ago"),
        (timedelta(days=6), "6 days ago"),
        (-timedelta(hours=2), "in 2 hours"),
    ],
)
def test_times_are_relative(since: timedelta, words: str) -> None:
    said = ago(timezone.now() - since)
    assert f">{words}</time>" in said
    assert 'datetime="' in said


def test_long_ago_is_a_day() -> None:
    assert "ago" not in ago(timezone.now() - timedelta(days=30))


@pytest.mark.parametrize("name", [*marks.HEROICONS, *marks.SHAPES])
def test_every_icon_can_be_drawn(name: str) -> None:
    drawn = marks.draw(name)
    assert drawn.startswith("<svg")
    assert 'aria-hidden="true"' in drawn


class ServerForm(forms.Form):
    host = forms.CharField(help_text="As mail programs know it.")
    user = forms.CharField()


FIELDS = Template(
    '{% for field in form %}{% include "components/_field.html" %}{% endfor %}'
)


def test_a_field_names_its_help() -> None:
    drawn = FIELDS.render(Context({"form": ServerForm()}))
    assert 'aria-describedby="id_host_helptext"' in drawn
    assert "autofocus" not in drawn


def test_the_first_wrong_field_takes_the_focus() -> None:
    drawn = FIELDS.render(Context({"form": ServerForm({"host": "imap.example"})}))
    assert drawn.count("autofocus") == 1
    assert 'aria-invalid="true"' in drawn
    assert 'aria-describedby="id_user_error"' in drawn
    assert drawn.index('name="user"') < drawn.index("autofocus")


def test_what_was_typed_stays_and_is_escaped() -> None:
    drawn = FIELDS.render(Context({"form": ServerForm({"host": '"><script>'})}))
    assert "<script>" not in drawn
    assert "&quot;&gt;&lt;script&gt;" in drawn
