"""What a person who chooses an engine has to know."""

from __future__ import annotations

from django.utils.html import format_html

from purelymanage.migrations.engines import imapsync_version

AUTHOR = "https://imapsync.lamiral.info/"


def engine_help() -> str:
    """Say which imapsync there is on this host, or how to get it."""
    version = imapsync_version()
    if version is None:
        return format_html(
            'imapsync is not installed here. <a href="{}" rel="noreferrer">Its author'
            "</a> offers it, and the README names the Debian packages it needs. The "
            "pipeline needs nothing.",
            AUTHOR,
        )
    if not version:
        return "imapsync is installed here, but does not start. See the README."
    return f"imapsync {version} is installed here."
