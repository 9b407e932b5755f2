from __future__ import annotations

from contextvars import ContextVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction

from purelymanage.audit.events import Event
from purelymanage.audit.models import Agent, Entry

Actor = AbstractBaseUser | Agent

# Set by the middleware, so that an operation need not know about requests.
remote_address: ContextVar[str | None] = ContextVar("remote_address", default=None)


def record(
    event: Event, *, actor: Actor, target: str, domain: str = "", **details: str
) -> Entry:
    """Write one audit entry. Call it in the transaction that makes the change.

    `target` names what it happened to, `domain` the domain it belongs to, so that
    people limited to some domains see theirs; an address as target tells it by itself.
    `details` fill the event's sentence and nothing else: a value that the sentence
    does not name, such as a password, is refused instead of stored.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError(f"{event} must be recorded in the transaction it is about.")
    for name in details:
        if f"{{{name}}}" not in event.label:
            raise TypeError(f"{event} has no place for {name!r}.")

    event.label.format(target=target, **details)  # KeyError if one is missing
    person = actor if isinstance(actor, AbstractBaseUser) else None
    return Entry.objects.create(
        event=event,
        actor_id=person.pk if person else None,
        actor_name=person.get_username() if person else str(actor),
        target=target,
        domain=domain or target.rpartition("@")[2],
        details=details,
        address=remote_address.get(),
    )
