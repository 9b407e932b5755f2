"""What the first visitor would have to wait for otherwise."""

from __future__ import annotations

from django.template.loader import get_template
from django.urls import get_resolver

from purelymanage.environment import BASE_DIR

TEMPLATES = BASE_DIR / "templates"
KINDS = {".html", ".txt"}


def load_views_and_templates() -> None:
    """Load all of both; what is forked afterwards shares them."""
    get_resolver().url_patterns  # noqa: B018
    for path in TEMPLATES.rglob("*"):
        if path.suffix in KINDS:
            get_template(str(path.relative_to(TEMPLATES)))
