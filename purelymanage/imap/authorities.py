"""Where the certificates lie that are trusted, for programs of others."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from .errors import CertificateRefused


@dataclass(frozen=True, slots=True)
class Authorities:
    """A text of certificates and a folder of them; either may be missing."""

    text: bytes
    folder: str


def find_authorities(ca_file: str | None) -> Authorities:
    """Return what the system trusts, and `ca_file` with it, as `tls_context` does."""
    known = ssl.get_default_verify_paths()
    texts = []
    if ca_file:
        try:
            texts.append(Path(ca_file).read_bytes())
        except OSError as exc:
            raise CertificateRefused(
                f"The file of trusted certificates {ca_file} cannot be read.", str(exc)
            ) from None
    if known.cafile:
        texts.append(Path(known.cafile).read_bytes())
    return Authorities(b"\n".join(texts), known.capath or "")
