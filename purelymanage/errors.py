from __future__ import annotations


class Refused(Exception):
    """An operation that will not be done. Its text is a sentence for the person."""
