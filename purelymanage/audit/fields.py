from __future__ import annotations

from purelymanage.audit.events import Event
from purelymanage.audit.naming import AnyEvent

# Whose values before and after an event may keep beside its sentence. No other field
# is ever stored, so nothing secret may be named here.
FIELDS: dict[AnyEvent, frozenset[str]] = {
    Event.PERSON_CHANGED: frozenset({"name"}),
    Event.RIGHTS_CHANGED: frozenset({"role", "domains"}),
    Event.ORGANISATION_CHANGED: frozenset(
        {
            "name",
            "grace hours",
            "credit attention",
            "credit critical",
            "second factor required",
            "second person required",
            "checkpoint address",
        }
    ),
}

# What an event may point at beside its sentence, so that who is told of it gets there:
# keys of rows, and the domains that one must be responsible for to be told of it.
REFERENCES = frozenset({"job", "batch", "campaign", "domains"})
