"""Reading the fields of a request the way the vendor does.

Names nobody knows are ignored, null means "leave alone", and only a missing or
malformed required field is refused.
"""

from __future__ import annotations

from typing import Any, TypeVar

T = TypeVar("T")


class Refused(Exception):
    """The account says no. Becomes an error envelope with HTTP status 200."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Fields:
    def __init__(self, body: dict[str, Any]) -> None:
        self._body = body

    def text(self, name: str) -> str:
        return self._required(name, self.optional_text(name))

    def optional_text(self, name: str) -> str | None:
        value = self._body.get(name)
        if value is None or isinstance(value, str):
            return value
        raise Refused("badRequest", f"Field {name} must be a string.")

    def flag(self, name: str) -> bool:
        return self._required(name, self.optional_flag(name))

    def optional_flag(self, name: str) -> bool | None:
        value = self._body.get(name)
        if value is None or isinstance(value, bool):
            return value
        raise Refused("badRequest", f"Field {name} must be a boolean.")

    def number(self, name: str) -> int:
        value = self._required(name, self._body.get(name))
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        raise Refused("badRequest", f"Field {name} must be an integer.")

    def texts(self, name: str) -> list[str]:
        value = self._required(name, self._body.get(name))
        if isinstance(value, list) and all(isinstance(it, str) for it in value):
            return list(value)
        raise Refused("badRequest", f"Field {name} must be a list of strings.")

    @staticmethod
    def _required(name: str, value: T | None) -> T:
        if value is None:
            raise Refused("badRequest", f"Field {name} is required.")
        return value
