"""Seals secrets for the database with AES-256-GCM.

A sealed text is `key id:base64(nonce + ciphertext)`. `ENCRYPTION_KEYS` lists the keys
as `id:base64,id:base64,…`: the first one seals, all of them open, so that keys can be
exchanged while the panel runs. `bound_to` names the row and field a secret belongs to
and goes in as associated data: a sealed text copied to another row does not open.
"""

from __future__ import annotations

import base64
import binascii
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

NONCE_BYTES = 12  # NIST SP 800-38D, section 8.2: 96 bits, random for each message


class Unreadable(Exception):
    """A sealed text that no key opens, or that belongs to another row."""


def seal(plain: str, *, bound_to: str) -> str:
    """Return `plain` sealed with the first key, for the place that `bound_to` names."""
    key_id, key = next(iter(_keys(settings.ENCRYPTION_KEYS).items()))
    nonce = os.urandom(NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, plain.encode(), bound_to.encode())
    return f"{key_id}:{base64.b64encode(nonce + sealed).decode()}"


def unseal(sealed: str, *, bound_to: str) -> str:
    """Return what `seal` was given, or raise `Unreadable`."""
    key_id, _, text = sealed.partition(":")
    try:
        key = _keys(settings.ENCRYPTION_KEYS)[key_id]
        raw = base64.b64decode(text, validate=True)
        plain = AESGCM(key).decrypt(
            raw[:NONCE_BYTES], raw[NONCE_BYTES:], bound_to.encode()
        )
    except KeyError as exc:
        raise Unreadable(f"There is no encryption key with the id {key_id!r}.") from exc
    except (InvalidTag, binascii.Error, ValueError) as exc:
        raise Unreadable("A sealed text does not open at this place.") from exc
    return plain.decode()


@lru_cache(maxsize=8)
def _keys(setting: str) -> dict[str, bytes]:
    keys = {}
    for part in setting.split(","):
        key_id, _, text = part.strip().partition(":")
        try:
            key = base64.b64decode(text, validate=True)
        except binascii.Error:
            key = b""
        if not key_id or len(key) != 32:
            raise SystemExit(
                "ENCRYPTION_KEYS must read id:base64 of 32 bytes, with commas between."
            )
        keys[key_id] = key
    return keys
