"""Faults on demand, and the count of what was asked."""

from __future__ import annotations

import re
import threading
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

KINDS = re.compile(
    r"latency|status_[45]\d\d|hang|half_answer|drop|refuse_before|silent_success|"
    r"hang_after|drop_after|error|empty_list|not_json"
)
KEPT_CALLS = 10_000


@dataclass(slots=True)
class Fault:
    """What goes wrong with the next `times` calls of an operation.

    Nothing is carried out: `status_500` and its like, `hang`, `drop`,
    `refuse_before` (503), `silent_success`, `error`, `empty_list`, `not_json`.
    It is carried out all the same: `latency`, `half_answer`, `hang_after`,
    `drop_after`.
    """

    kind: str
    operation: str = "*"
    times: int | None = 1
    seconds: float | None = None
    code: str = "badRequest"
    message: str = "The request was refused."

    def __post_init__(self) -> None:
        if not KINDS.fullmatch(self.kind):
            raise ValueError(f"There is no fault called {self.kind}.")
        if self.seconds is None:
            self.seconds = 1 if self.kind == "latency" else 60


class Faults:
    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, kind: str, operation: str = "*", **details: Any) -> Fault:
        """Let something go wrong; `times=None` means until cleared."""
        fault = Fault(kind, operation, **details)
        with self._lock:
            self._faults.append(fault)
        return fault

    def take(self, operation: str) -> Fault | None:
        """Return the first fault meant for this operation and use it up by one."""
        with self._lock:
            for fault in self._faults:
                if fault.operation not in {"*", operation}:
                    continue
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._faults.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def as_list(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self._faults]


@dataclass(frozen=True, slots=True)
class Call:
    operation: str
    body: dict[str, Any] = field(repr=False)


class Calls:
    """Every call that came in with a valid token, faults included."""

    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=KEPT_CALLS)
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, operation: str, body: dict[str, Any]) -> None:
        with self._lock:
            self._calls.append(Call(operation, body))
            self._counts[operation] += 1

    def __len__(self) -> int:
        return self.total

    def __iter__(self) -> Iterator[Call]:
        with self._lock:
            return iter(list(self._calls))

    @property
    def total(self) -> int:
        with self._lock:
            return self._counts.total()

    @property
    def names(self) -> list[str]:
        return [call.operation for call in self]

    def count(self, operation: str) -> int:
        with self._lock:
            return self._counts[operation]

    def as_dict(self) -> dict[str, int]:
        with self._lock:
            return dict(self._counts)

    def clear(self) -> None:
        with self._lock:
            self._calls.clear()
            self._counts.clear()
