from __future__ import annotations

import os
import pwd


class Failed(Exception):
    """Something that cannot be done; the text is a sentence to show."""


def reason(error: OSError) -> str:
    """Say why a file cannot be read or written, and who may not."""
    words = error.strerror or str(error)
    if isinstance(error, PermissionError):
        # Where the panel is installed, these programs are not run as who calls them.
        return f"{words} to the user {_user()}"
    return words


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
