"""Passwords that the panel makes for mailboxes."""

from __future__ import annotations

import secrets

# Nothing that can be taken for something else when read out or written down. The
# browser's "Make another" uses the same (static/js/password.js).
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
GROUPS, GROUP_LENGTH = 4, 5


def make_password() -> str:
    """Return a random password worth 99 bits."""
    groups = (
        "".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH))
        for _ in range(GROUPS)
    )
    return "-".join(groups)
