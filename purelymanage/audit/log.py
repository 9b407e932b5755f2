from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from purelymanage.audit import chain
from purelymanage.audit.actors import Actor as Actor
from purelymanage.audit.fields import FIELDS, REFERENCES
from purelymanage.audit.models import Entry
from purelymanage.audit.naming import AnyEvent
from purelymanage.context import remote_address as remote_address
from purelymanage.context import request_id as request_id

Diff = Mapping[str, tuple[str, str]]

LONGEST = 2_000  # characters of one value; what a server answered may be a novel


def record(
    event: AnyEvent,
    *,
    actor: Actor,
    target: str,
    domain: str = "",
    diff: Diff | None = None,
    **details: str,
) -> Entry:
    """Write one audit entry. Call it in the transaction that makes the change.

    `target` names what it happened to, `domain` the domain it belongs to, so that
    people limited to some domains see theirs; an address as target tells it by itself.
    `details` fill the event's sentence, `diff` holds values before and after, and both
    take nothing that the event does not declare: a password is refused, not stored.

    Call it last: everybody else who records waits until the transaction has ended, and
    whoever takes a row's lock afterwards may wait for somebody who waits for this one.
    """
    entry = note(event, actor=actor, target=target, domain=domain, diff=diff, **details)
    record_many([entry])
    return entry


def note(
    event: AnyEvent,
    *,
    actor: Actor,
    target: str,
    domain: str = "",
    diff: Diff | None = None,
    **details: str,
) -> Entry:
    """Return an entry for `record_many`, not written yet."""
    for name in details:
        if f"{{{name}}}" not in event.label:
            raise TypeError(f"{event} has no place for {name!r}.")
    for name in diff or {}:
        if name not in FIELDS.get(event, ()):
            raise TypeError(f"{event} keeps no {name!r} before and after.")
    event.label.format(target=target, **details)  # KeyError if one is missing

    person = actor if isinstance(actor, AbstractBaseUser) else None
    return Entry(
        event=event.value,
        actor_id=person.pk if person else None,
        actor_name=person.get_username() if person else str(actor),
        actor_role=str(getattr(person, "role", "")),
        target=_storable(target)[:300],
        domain=domain or target.rpartition("@")[2][:253],
        details={name: _storable(value) for name, value in details.items()},
        diff={
            name: [_storable(before), _storable(after)]
            for name, (before, after) in (diff or {}).items()
        },
        address=chain.plain_address(remote_address.get()),
        request_id=request_id.get(),
    )


def refer(entry: Entry, references: Mapping[str, str]) -> Entry:
    """Let an entry that is not written yet point at rows; see `REFERENCES`."""
    for name in references:
        if name not in REFERENCES:
            raise TypeError(f"No entry refers to {name!r}.")
    entry.details = {**references, **entry.details}
    return entry


def record_many(entries: Sequence[Entry]) -> None:
    """Write entries made by `note`, in their order, under one lock."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError(
            "Entries must be recorded in the transaction they are about."
        )
    if not entries:
        return
    chain.lock()
    sequence, previous = Entry.objects.head()
    now = timezone.now()
    for sequence, entry in enumerate(entries, start=sequence + 1):  # noqa: B020
        entry.sequence = sequence
        entry.recorded_at = now
        entry.previous_hmac = previous
        entry.hmac = previous = chain.seal(entry.content(), previous)
    Entry.objects.bulk_create(entries, batch_size=1_000)


def _storable(value: str) -> str:
    """PostgreSQL keeps neither NUL nor halves of a character."""
    clean = str(value).replace("\0", "").encode(errors="replace").decode()
    return clean if len(clean) <= LONGEST else clean[: LONGEST - 1] + "…"
