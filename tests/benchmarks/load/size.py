"""How much there is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    mailboxes: int = 10_000
    domains: int = 1_000
    rules: int = 5_000
    jobs: int = 10_000
    entries: int = 1_000_000
    # Of a table that somebody has uploaded, and what a copy left out.
    rows: int = 1_000

    def divided(self, by: int) -> Size:
        return Size(*(max(10, it // by) for it in vars(self).values()))
