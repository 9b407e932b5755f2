"""How pages look to a person, which concerns nobody else."""

from __future__ import annotations

from django.db.models import F, Func, JSONField, Value

from purelymanage.accounts.models import User


def remember(*, person: User, name: str, value: list[str]) -> None:
    """Keep one preference, beside others that the person may be setting just now."""
    kept = Func(
        F("preferences"),
        Func(Value(name), function="ARRAY", template="%(function)s[%(expressions)s]"),
        Value(value, JSONField()),
        function="jsonb_set",
        output_field=JSONField(),
    )
    User.people.filter(pk=person.pk).update(preferences=kept)
    person.preferences[name] = value
