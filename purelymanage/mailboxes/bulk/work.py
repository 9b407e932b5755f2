"""What a sort of bulk change is made of, be it of mailboxes or of anything else.

All that is alike is in `running`, `deciding` and `progress`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from purelymanage.accounts.models import User
from purelymanage.mailboxes.models.bulks import (
    BulkRow,
    BulkRowsQuerySet,
    BulksQuerySet,
)


class AnyBulk(Protocol):
    """A row like those of `Bulk`: with its states, its lease and its person."""

    @property
    def pk(self) -> Any: ...
    @property
    def kind(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def domains(self) -> Any: ...
    @property
    def attempt(self) -> int: ...
    @property
    def failures_in_a_row(self) -> int: ...
    @property
    def lease_until(self) -> datetime | None: ...
    @property
    def started_at(self) -> datetime | None: ...
    @property
    def requested_by(self) -> User: ...
    @property
    def rows(self) -> Any: ...


class AnyRow(Protocol):
    """A row like those of `BulkRow`: with its states and how often it was begun."""

    @property
    def pk(self) -> Any: ...
    @property
    def number(self) -> int: ...
    @property
    def attempt(self) -> int: ...
    @property
    def tries(self) -> int: ...


B = TypeVar("B", bound=AnyBulk)
R = TypeVar("R", bound=AnyRow)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a row ended, with what somebody should know about it.

    `columns` are what the row keeps of it besides.
    """

    state: BulkRow.State
    reason: str = ""
    columns: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Work(Generic[B, R]):
    """How bulk changes of one sort are told from others."""

    word: str  # of what a row is about, such as “mailbox”
    task: str
    bulks: Callable[[], BulksQuerySet[Any]]
    rows: Callable[[], BulkRowsQuerySet[Any]]
    may_carry_out: Callable[[User, B], bool]
    deed: Callable[[B, int], str]
    # Raises `Refused`, or what the client raises. Done twice, it ends as done once.
    carry_out: Callable[[B, R], Outcome]
    # Does a row along with others, or returns False where it is done by itself.
    do_together: Callable[[B, R], bool]
    # What is written to a row before it is begun.
    prepared: Callable[[B, R], dict[str, Any]] = lambda bulk, row: {}
    # What is written to a row that will never be done again.
    wiped: Mapping[str, Any] = field(default_factory=dict)
    asks_purelymail: Callable[[B], bool] = lambda bulk: True
    # Says why what has failed is not tried again, if so.
    object_to_retry: Callable[[B], str] = lambda bulk: ""
