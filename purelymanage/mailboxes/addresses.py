"""What an address may be, for forms and imports alike."""

from __future__ import annotations

import re

# RFC 5321, sections 4.1.2 and 4.5.3.1.1. Quoted local parts are legal and loved by
# nobody.
ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
LOCAL_PART = re.compile(rf"{ATOM}(\.{ATOM})*")
LONGEST_LOCAL_PART = 64
LONGEST_ADDRESS = 254
SYMBOLS = re.compile(r"[^a-z0-9]")

OWN_RECOVERY = "Somebody who cannot open the mailbox cannot read mail sent to it."


def object_to_local_part(local: str) -> str:
    """Return why nothing like this may stand before the @, empty if it may."""
    if not local.isascii():
        return "Use letters without accents: many servers cannot deliver to others."
    if not LOCAL_PART.fullmatch(local):
        return (
            "An address has no spaces, commas, quotes or brackets, and its dots stand "
            "between other characters."
        )
    if len(local) > LONGEST_LOCAL_PART:
        return (
            f"At most {LONGEST_LOCAL_PART} characters may stand before the @; these "
            f"are {len(local)}."
        )
    return ""


def object_to_address(local: str, domain: str, *, has_subaddressing: bool) -> str:
    """Return why there can be no mailbox of this name on a domain, empty if it can."""
    symbol = SYMBOLS.search(local)
    if has_subaddressing and symbol:
        return (
            f"Leave out the “{symbol[0]}”: subaddressing is on for {domain}, so mail "
            f"for {local}@{domain} goes to {local[: symbol.start()] or '…'}@{domain}."
        )
    if len(local) + 1 + len(domain) > LONGEST_ADDRESS:
        return "The whole address is too long."
    return ""
