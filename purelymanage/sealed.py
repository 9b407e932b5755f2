"""Where sealed texts lie in the database, so that none is forgotten with a new key.

A column of ours says by its type that it is sealed. What another package keeps sealed
inside a column of its own is registered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models.functions import Coalesce

from purelymanage import crypto

# Takes a sealed text and what it is bound to, and returns what to keep instead.
Change = Callable[[str, str], str]

_registered: list[Sealed] = []


class SealedTextField(models.TextField[str, str]):
    """Holds what `crypto.seal` returned, or nothing.

    `bound_to` names the attribute of the row that says what the text is bound to.
    """

    def __init__(self, *args: Any, bound_to: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.bound_to = bound_to

    def deconstruct(self) -> Any:
        """Look like any text to migrations: to the database it is one."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.TextField", args, kwargs


@dataclass(frozen=True)
class Sealed:
    """A column that holds sealed texts."""

    model: type[models.Model]
    column: str
    # Return what the column is to hold when each sealed text in it is changed.
    with_changed: Callable[[Any, Change], Any]
    is_text: bool = True

    @property
    def label(self) -> str:
        return f"{self.model._meta.label}.{self.column}"

    def filled(self) -> models.QuerySet[Any]:
        rows = self.model._base_manager.order_by("pk")
        return rows.exclude(**{self.column: ""}) if self.is_text else rows.all()

    def not_sealed_with(self, key_id: str) -> models.QuerySet[Any]:
        """The rows that may hold a text that another key has sealed."""
        if not self.is_text:
            return self.filled()
        return self.filled().exclude(**{f"{self.column}__startswith": f"{key_id}:"})

    def sealed_with(self, key_id: str) -> models.QuerySet[Any]:
        """The rows that may hold a text that this key has sealed."""
        if not self.is_text:
            return self.filled()
        return self.filled().filter(**{f"{self.column}__startswith": f"{key_id}:"})

    def count_keys(self) -> Counter[str | None]:
        """Count the sealed texts by the id of their key; None is not sealed at all."""
        if self.is_text:
            key = Coalesce(
                models.Func(
                    models.F(self.column),
                    models.Value(crypto.BEGINNING),
                    function="SUBSTRING",
                    output_field=models.TextField(),
                ),
                models.Value("", output_field=models.TextField()),
            )
            found = self.filled().order_by().values_list(key)
            counts = found.annotate(models.Count("pk"))
            return Counter({key or None: count for key, count in counts})
        counted: Counter[str | None] = Counter()
        for row in self.filled().iterator():
            counted.update(map(crypto.key_of, texts_in(self, row)))
        return counted


def texts_in(column: Sealed, row: models.Model) -> list[str]:
    """Return the sealed texts that a column holds in this row."""
    found: list[str] = []

    def note(text: str, place: str) -> str:
        found.append(text)
        return text

    column.with_changed(row, note)
    return found


def register(column: Sealed) -> None:
    """Say where another package keeps sealed texts."""
    if column not in _registered:
        _registered.append(column)


def columns() -> Iterator[Sealed]:
    """Yield every column that holds sealed texts."""
    for model in apps.get_models():
        for field in model._meta.local_fields:
            if isinstance(field, SealedTextField):
                yield Sealed(model, field.attname, _changing(field))
    yield from _registered


def count_keys() -> dict[Sealed, Counter[str | None]]:
    """Count the sealed texts of each column by the id of their key."""
    return {column: column.count_keys() for column in columns()}


def _changing(field: SealedTextField) -> Callable[[Any, Change], str]:
    def with_changed(row: Any, change: Change) -> str:
        text: str = getattr(row, field.attname)
        return change(text, getattr(row, field.bound_to)) if text else text

    return with_changed
