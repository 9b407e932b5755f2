"""A passkey in software, which answers as a browser would."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

FLAGS = AuthenticatorData.FLAG
PRESENT = FLAGS.UP | FLAGS.UV


class Passkey:
    def __init__(self, host: str = "testserver") -> None:
        self.host = host
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_bytes(16)
        self.person = b""
        self.uses = 0

    def create(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Answer the options of a page that adds a passkey."""
        asked = options["publicKey"]
        self.person = websafe_decode(asked["user"]["id"])
        credential = AttestedCredentialData.create(
            Aaguid(bytes(16)),
            self.id,
            ES256.from_cryptography_key(self.key.public_key()),  # type: ignore[no-untyped-call]
        )
        known = AuthenticatorData.create(
            self._place(), PRESENT | FLAGS.AT, self.uses, credential
        )
        return self._answer(
            {
                "clientDataJSON": self._client("webauthn.create", asked),
                "attestationObject": AttestationObject.create("none", known, {}),
            }
        )

    def get(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Answer the options of a page that asks for a passkey."""
        self.uses += 1
        data = AuthenticatorData.create(self._place(), PRESENT, self.uses)
        client = self._client("webauthn.get", options["publicKey"])
        signed = data + hashlib.sha256(client).digest()
        return self._answer(
            {
                "clientDataJSON": client,
                "authenticatorData": data,
                "signature": self.key.sign(signed, ec.ECDSA(SHA256())),
                "userHandle": self.person,
            }
        )

    def _place(self) -> bytes:
        return hashlib.sha256(self.host.encode()).digest()

    def _client(self, kind: str, asked: Mapping[str, Any]) -> bytes:
        return CollectedClientData.create(
            kind, websafe_decode(asked["challenge"]), f"https://{self.host}"
        )

    def _answer(self, response: dict[str, bytes]) -> dict[str, Any]:
        return {
            "id": websafe_encode(self.id),
            "rawId": websafe_encode(self.id),
            "type": "public-key",
            "clientExtensionResults": {"credProps": {"rk": True}},
            "response": {name: websafe_encode(it) for name, it in response.items()},
        }
