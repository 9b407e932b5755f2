from __future__ import annotations


class Unreadable(Exception):
    """A file that is no table. Its text is a sentence for whoever uploaded it.

    It tells places and never contents, which may be passwords.
    """
