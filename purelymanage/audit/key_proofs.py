"""Whether the keys in the settings are those that this database was written with.

Asked once when a process starts. A wrong key would seal what nobody opens again, give
up what it cannot open, and go on with the audit chain so that it looks tampered with.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from itertools import islice

from django.conf import settings
from django.db import (
    DEFAULT_DB_ALIAS,
    OperationalError,
    ProgrammingError,
    connection,
    connections,
    transaction,
)
from django.db.backends.postgresql.base import DatabaseWrapper

from purelymanage import crypto, sealed
from purelymanage.audit import chain, log
from purelymanage.audit.key_events import KeyEvent
from purelymanage.audit.models import Agent, Entry, KeyProof
from purelymanage.environment import stop

AUDIT = "audit"
PLAIN = "a text that only this key opens"
SAMPLE = 20  # of what was there before there were proofs
PATIENCE = 30.0  # seconds that a starting process waits for the database


class WrongKeys(Exception):
    """Keys that do not belong to this database; the text is for who set them."""


def name_of(key_id: str) -> str:
    return f"seal {key_id}"


def find_problems() -> list[str]:
    """Return a sentence for each key that is wrong or missing. Changes nothing."""
    ids = crypto.key_ids()
    proofs = dict(KeyProof.objects.values_list("name", "proof"))
    used = _used()
    problems = [
        f"ENCRYPTION_KEYS has no key {key_id}, and {_texts(count)} sealed with it. "
        f"Put key {key_id} back, in any place but the first."
        for key_id, count in sorted(used.items())
        if key_id not in ids
    ]
    problems += [
        f"The key {key_id} in ENCRYPTION_KEYS is not the one that this database was "
        f"written with. Put the right one back; a new key needs an id of its own."
        for key_id in ids
        if not _is_right(key_id, proofs.get(name_of(key_id)), used[key_id])
    ]
    if not _is_right_for_audit(proofs.get(AUDIT)):
        problems.append(
            "AUDIT_KEY is not the one that the audit log was written with. Put the "
            "right one back; if it is to be replaced, name it in AUDIT_KEY_FALLBACKS."
        )
    return problems


def prove() -> None:
    """Raise `WrongKeys` for keys of another database; remember keys that are new."""
    if problems := find_problems():
        raise WrongKeys(" ".join(problems))
    made = [
        KeyProof(name=name_of(key_id), proof=_seal(key_id))
        for key_id in crypto.key_ids()
    ]
    made.append(KeyProof(name=AUDIT, proof=_audit_proof()))
    KeyProof.objects.bulk_create(made, ignore_conflicts=True)
    _note_new_audit_key()
    # Another process may have been faster, with another key of the same name.
    if problems := find_problems():
        raise WrongKeys(" ".join(problems))


def prove_or_exit(*, patience: float = 0) -> None:
    """End the process with a sentence where the keys are wrong.

    Leaves no connection behind: processes that are forked must not share one.
    """
    try:
        _prove_in_time(patience)
    except (WrongKeys, crypto.Malformed) as exc:
        stop(str(exc))
    finally:
        # Not `connection`, which only stands for it and is of another class.
        present = connections[DEFAULT_DB_ALIAS]
        present.close()
        if isinstance(present, DatabaseWrapper):  # PostgreSQL's
            present.close_pool()


def _prove_in_time(patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            prove()
        except OperationalError:
            if time.monotonic() >= deadline:
                raise
            connection.close()
            time.sleep(0.5)
        except ProgrammingError:
            return  # tables are missing: `migrate` comes first
        else:
            return


def _used() -> Counter[str]:
    """Count all sealed texts by the id of their key."""
    used: Counter[str] = Counter()
    for counted in sealed.count_keys().values():
        used.update({key: count for key, count in counted.items() if key})
    return used


def _texts(count: int) -> str:
    return "one secret is" if count == 1 else f"{count} secrets are"


def _is_right(key_id: str, proof: str | None, used: int) -> bool:
    if proof is not None:
        return _opens(proof, name_of(key_id))
    # Written before there were proofs. One text alone may be broken for itself.
    return not used or any(_opens(text, place) for text, place in _sample(key_id))


def _sample(key_id: str) -> Iterable[tuple[str, str]]:
    """Yield some texts sealed with a key, and what each is bound to."""
    for column in sealed.columns():
        found: list[tuple[str, str]] = []

        def note(text: str, place: str, found: list[tuple[str, str]] = found) -> str:
            found.append((text, place))
            return text

        for row in islice(column.sealed_with(key_id), SAMPLE):
            column.with_changed(row, note)
        yield from (it for it in found if crypto.key_of(it[0]) == key_id)


def _opens(text: str, place: str) -> bool:
    try:
        crypto.unseal(text, bound_to=place)
    except (crypto.Unreadable, crypto.MissingKey):
        return False
    return True


def _seal(key_id: str) -> str:
    return crypto.seal(PLAIN, bound_to=name_of(key_id), key_id=key_id)


def _audit_proof(key: str = "") -> str:
    return chain.sign("proof of the key", key=key)


def _is_right_for_audit(proof: str | None) -> bool:
    if proof is not None:
        return proof in map(_audit_proof, chain.known_keys())
    entries = Entry.objects.order_by("-sequence")[:SAMPLE]
    return not entries or any(
        chain.seal(entry.content(), entry.previous_hmac, key=key) == entry.hmac
        for entry in entries
        for key in chain.known_keys()
    )


@transaction.atomic(durable=True)
def _note_new_audit_key() -> None:
    """Write down when the audit log goes on with another key."""
    old = KeyProof.objects.filter(name=AUDIT).exclude(proof=_audit_proof())
    earlier = [_audit_proof(key) for key in settings.AUDIT_KEY_FALLBACKS]
    if old.filter(proof__in=earlier).update(proof=_audit_proof()):
        log.record(
            KeyEvent.AUDIT_KEY_REPLACED, actor=Agent.PANEL, target="the audit log"
        )
