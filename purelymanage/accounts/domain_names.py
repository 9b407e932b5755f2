"""The domains that a person can be limited to; whoever knows them registers here."""

from __future__ import annotations

from collections.abc import Callable, Iterable

Source = Callable[[], Iterable[str]]

_sources: list[Source] = []


def register(source: Source) -> None:
    _sources.append(source)


def known_domains() -> list[str]:
    return sorted({name for source in _sources for name in source()})
