"""What lists of rows with a state have in common: a filter, and a bar of the states."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import QueryDict

LONGEST_SEARCH = 200


@dataclass(frozen=True, slots=True)
class StateFilter:
    """Which rows somebody asks for, as the address of the page says."""

    known: ClassVar[Collection[str]] = ()  # codes of states
    columns: ClassVar[Iterable[str]] = ()  # in which words are looked for

    words: str = ""
    state: str = ""

    @classmethod
    def read(cls, data: QueryDict) -> Self:
        words = data.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]
        state = data.get("state", "")
        return cls(words, state if state in cls.known else "")

    def __bool__(self) -> bool:
        return bool(self.words or self.state)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        found = [("q", self.words), ("state", self.state)]
        return [(name, value) for name, value in found if value]

    @property
    def query(self) -> str:
        return urlencode(self.pairs)

    def narrow_stated(self, found: QuerySet[Any]) -> QuerySet[Any]:
        """Return which of these rows it finds; each has its `state` already."""
        for word in self.words.split():
            anywhere = (Q(**{f"{it}__icontains": word}) for it in self.columns)
            found = found.filter(reduce(or_, anywhere))
        return found.filter(state=self.state) if self.state else found


class State(Protocol):
    @property
    def code(self) -> str: ...


S = TypeVar("S", bound=State)


@dataclass(frozen=True, slots=True)
class Segment(Generic[S]):
    """A part of the bar; `start` and `width` in percent."""

    state: S
    count: int
    start: str
    width: str


def segments_of(states: Iterable[S], counts: Mapping[str, int]) -> list[Segment[S]]:
    """Return the bar of so many rows in each state; those without any are left out."""
    total = sum(counts.values())
    found, start = [], 0.0
    for state in states:
        if not (count := counts.get(state.code, 0)):
            continue
        width = 100 * count / total
        found.append(Segment(state, count, f"{start:.3f}%", f"{width:.3f}%"))
        start += width
    return found
