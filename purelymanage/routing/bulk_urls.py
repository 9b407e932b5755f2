"""Pages about rules as a whole, and about how long they stay."""

from __future__ import annotations

from django.urls import URLPattern, path

from purelymanage.routing.views import expiry

patterns: list[URLPattern] = [
    path("<int:remote_id>/expiry/", expiry.set_expiry, name="set-expiry"),
]
