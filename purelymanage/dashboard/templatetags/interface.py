from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.forms import BoundField
from django.template import Context
from django.utils import timezone
from django.utils.dateformat import format as written
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from purelymanage import figures
from purelymanage.context import request_id
from purelymanage.dashboard import marks

register = template.Library()

# What stands in a cell of DNS health, and what it says to somebody who cannot see it.
CELLS = {
    "good": ("check", "right"),
    "attention": ("bang", "needs attention"),
    "broken": ("cross", "wrong or missing"),
    "waiting": ("dash", "not seen yet"),
}
# Shorter ones stand in one line of a telephone.
FITS_ANYWHERE = 24
BEFORE_BREAKS = re.compile(r"(?=[@.])")


@register.filter
def address(value: object) -> SafeString:
    """Let a long address break before its @ and its dots, not within a word."""
    words = str(value)
    if len(words) <= FITS_ANYWHERE:
        return format_html("{}", words)
    parts = BEFORE_BREAKS.split(words)
    return format_html_join(SafeString("<wbr>"), "{}", ((it,) for it in parts))


@register.simple_tag
def icon(name: str) -> SafeString:
    return marks.draw(name)


@register.simple_tag
def state(tone: str, words: str) -> SafeString:
    return format_html(
        '<span class="state {}">{}{}</span>', tone, marks.draw(tone), words
    )


@register.simple_tag
def badge(tone: str, words: str) -> SafeString:
    return format_html(
        '<span class="badge {}">{}{}</span>', tone, marks.draw(tone), words
    )


@register.simple_tag
def cell(tone: str, words: str = "") -> SafeString:
    """Draw a cell of DNS health; `words` say more than its tone alone."""
    mark, usual = CELLS[tone]
    return format_html(
        '<span class="cell {}"{}>{}<span class="visually-hidden">{}</span></span>',
        tone,
        format_html(' title="{}"', words) if words else "",
        marks.draw(mark),
        words or usual,
    )


@register.simple_tag(name="request_id")
def name_of_request() -> str:
    """Return what the log calls this request, for people to quote."""
    return request_id.get()


register.filter("thin", figures.thin)
register.filter("bytes", figures.in_bytes)


@register.simple_tag(takes_context=True)
def known(context: Context, count: int) -> SafeString | str:
    """Say how many there are: none is a dash until the account has been read."""
    if count or context["freshness"].synced_at:
        return figures.thin(count)
    return format_html(
        '<span aria-hidden="true">{}</span><span class="visually-hidden">{}</span>',
        "\N{EN DASH}",
        "not known yet",
    )


@register.simple_tag
def ago(value: datetime | None) -> SafeString | str:
    """Say how long ago, or in how long; after a week say which day."""
    if value is None:
        return ""
    return _time(value, _distance(timezone.now() - value) or _day(value))


@register.simple_tag
def lasting(value: timedelta) -> str:
    """Say how long something takes, roughly; below ten seconds exactly."""
    seconds = abs(value.total_seconds())
    if seconds < 10:
        return f"{seconds:.1f}\u00a0s"
    if seconds < 100:
        return f"{seconds:.0f}\u00a0s"
    return _distance(value).removesuffix(" ago") or f"{value.days} days"


@register.simple_tag
def day(value: datetime | None) -> SafeString | str:
    if value is None:
        return ""
    return _time(value, written(timezone.localtime(value), "j M Y"))


@register.simple_tag
def clock(value: datetime | None) -> SafeString | str:
    """Say at what time, and on which day unless it is today."""
    if value is None:
        return ""
    local = timezone.localtime(value)
    at = written(local, "H:i")
    if local.date() == timezone.localdate():
        return _time(value, at)
    return _time(value, f"{_day(value)}, {at}")


@register.simple_tag
def moment(value: datetime | None, *, short: bool = False) -> SafeString | str:
    """Say on which day and at what time something will happen."""
    if value is None:
        return ""
    local = timezone.localtime(value)
    return _time(value, written(local, "j M, H:i" if short else "j F, H:i"))


def _distance(since: timedelta) -> str:
    minutes = round(abs(since.total_seconds()) / 60)
    hours = round(minutes / 60)
    days = round(hours / 24)
    if minutes < 1:
        return "just now"
    if days > 6:
        return ""
    if minutes < 60:
        count, unit = minutes, "minute"
    elif hours < 24:
        count, unit = hours, "hour"
    else:
        count, unit = days, "day"
    words = f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{words} ago" if since >= timedelta(0) else f"in {words}"


def _day(value: datetime) -> str:
    local = timezone.localtime(value)
    same_year = local.year == timezone.localdate().year
    return written(local, "j F" if same_year else "j F Y")


def _time(value: datetime, words: str) -> SafeString:
    local = timezone.localtime(value)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        written(local, "j F Y, H:i T"),
        words,
    )


@register.simple_tag
def control(field: BoundField, *, described: bool = False, **attrs: Any) -> SafeString:
    """Render the widget in the panel's look; the first wrong one takes the focus.

    `described` says that there is a help text which the form itself does not know.
    """
    if field.widget_type not in ("checkbox", "radioselect", "select", "longselect"):
        attrs["class"] = f"input {attrs.get('class', '')}".strip()
    if _repeats_label(field):
        attrs["placeholder"] = False
    notes = []
    if field.errors:
        notes.append(f"{field.auto_id}_error")
    if field.help_text or described:
        notes.append(f"{field.auto_id}_helptext")
    attrs["aria-describedby"] = " ".join(notes) or False
    wrong = [name for name in field.form.fields if name in field.form.errors]
    if wrong:
        attrs["autofocus"] = field.name == wrong[0]
    return field.as_widget(attrs=attrs)


def _repeats_label(field: BoundField) -> bool:
    """Whether the placeholder says what the label says, as all those of allauth do."""
    placeholder = str(field.field.widget.attrs.get("placeholder", ""))
    return placeholder.lower().startswith(str(field.label).lower())
