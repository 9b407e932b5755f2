from __future__ import annotations


class Failed(Exception):
    """Something that cannot be done; the text is a sentence to show."""
