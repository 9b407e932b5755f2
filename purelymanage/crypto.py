"""Seals secrets for the database with AES-256-GCM.

A sealed text is `key id:base64(nonce + ciphertext)`. `ENCRYPTION_KEYS` lists the keys
as `id:base64,id:base64,…`: the first one seals, all of them open, so that keys can be
exchanged while the panel runs; `rotate_keys` does that. `bound_to` names the row and
field a secret belongs to and goes in as associated data: a sealed text copied to
another row does not open.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

NONCE_BYTES = 12  # NIST SP 800-38D, section 8.2: 96 bits, random for each message
KEY_BYTES = 32
LONGEST_ID = 20
# What every sealed text begins with; the shortest holds the nonce and the tag alone.
# PostgreSQL reads it as well.
BEGINNING = rf"^([^:]{{1,{LONGEST_ID}}}):[A-Za-z0-9+/]{{38}}"
SEALED = re.compile(rf"{BEGINNING}[A-Za-z0-9+/]*={{0,2}}")


class Unreadable(Exception):
    """A sealed text that its key does not open, or that belongs to another row."""


class MissingKey(Exception):
    """A sealed text whose key this process was not given.

    Not `Unreadable`: nothing is wrong with the text, and nobody may give it up.
    """


class Malformed(Exception):
    """Keys that are none; the text is for who set them."""


def seal(plain: str, *, bound_to: str, key_id: str = "") -> str:
    """Return `plain` sealed for the place that `bound_to` names.

    The first key seals, unless another is named.
    """
    keys = _keys(settings.ENCRYPTION_KEYS)
    key_id = key_id or next(iter(keys))
    key = keys[key_id]
    nonce = os.urandom(NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, plain.encode(), bound_to.encode())
    return f"{key_id}:{base64.b64encode(nonce + sealed).decode()}"


def unseal(sealed: str, *, bound_to: str) -> str:
    """Return what `seal` was given, or raise `Unreadable` or `MissingKey`."""
    key_id = key_of(sealed)
    if key_id is None:
        raise Unreadable("This is no sealed text.")
    try:
        key = _keys(settings.ENCRYPTION_KEYS)[key_id]
    except KeyError as exc:
        raise MissingKey(f"ENCRYPTION_KEYS has no key with the id {key_id!r}.") from exc
    text = sealed.partition(":")[2]
    try:
        raw = base64.b64decode(text, validate=True)
        plain = AESGCM(key).decrypt(
            raw[:NONCE_BYTES], raw[NONCE_BYTES:], bound_to.encode()
        )
    except (InvalidTag, binascii.Error, ValueError) as exc:
        raise Unreadable("A sealed text does not open at this place.") from exc
    return plain.decode()


def key_of(sealed: str) -> str | None:
    """Return the id of the key that a text is sealed with; None if it is none."""
    found = SEALED.fullmatch(sealed)
    return found and found[1]


def key_ids() -> list[str]:
    """Return the ids of the keys that we have, the one that seals first."""
    return list(_keys(settings.ENCRYPTION_KEYS))


@lru_cache(maxsize=8)
def _keys(setting: str) -> dict[str, bytes]:
    keys: dict[str, bytes] = {}
    for part in setting.split(","):
        key_id, _, text = part.strip().partition(":")
        try:
            key = base64.b64decode(text, validate=True)
        except binascii.Error:
            key = b""
        if not 0 < len(key_id) <= LONGEST_ID or len(key) != KEY_BYTES:
            raise Malformed(
                "ENCRYPTION_KEYS must read id:base64 of 32 bytes, with commas between."
            )
        if key_id in keys:
            raise Malformed(f"ENCRYPTION_KEYS has two keys with the id {key_id!r}.")
        keys[key_id] = key
    return keys
