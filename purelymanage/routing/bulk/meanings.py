"""What single cells of a table of rules mean, or a sentence why they mean nothing."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import NamedTuple

from purelymanage.mailboxes.bulk.meanings import Meaningless, flag
from purelymanage.routing.model.checks import MOST_TARGETS, is_address
from purelymanage.routing.model.rules import Kind
from purelymanage.sheets.cells import as_meant, invisible
from purelymanage.sheets.columns import Target
from purelymanage.sheets.providers import plain

__all__ = ["Meaningless", "flag"]

TARGETS = (
    Target(
        "address",
        "address or pattern",
        (
            "Address",
            "Pattern",
            "Alias",
            "Alias address",
            "Email",
            "Email address",
            "E-Mail-Adresse",
            "Adresse",
            "Match",
            "From",
            "Source",
            "Von",
        ),
        is_required=True,
    ),
    Target("kind", "kind", ("Type", "Art", "Kind of rule")),
    Target(
        "targets",
        "targets",
        (
            "Target",
            "To",
            "Goes to",
            "Destination",
            "Destinations",
            "Forward to",
            "Forwarding address",
            "Recipients",
            "Members",
            "Ziel",
            "Ziele",
            "An",
        ),
        is_required=True,
    ),
    Target("keep_copy", "copy for the mailbox", ("Keep copy", "Keep a copy", "Kopie")),
    Target("note", "note", ("Notes", "Comment", "Remark", "Notiz", "Bemerkung")),
    Target("expires", "last day", ("Expires", "Ends", "Until", "Ends with", "Bis")),
)
LABELS = {it.name: it.label for it in TARGETS}
KINDS = {
    "exact": Kind.EXACT,
    "exactaddress": Kind.EXACT,
    "address": Kind.EXACT,
    "alias": Kind.EXACT,
    "prefix": Kind.PREFIX,
    "startingwith": Kind.PREFIX,
    "anyaddressstartingwith": Kind.PREFIX,
    "any": Kind.ANY,
    "anyaddress": Kind.ANY,
    "catchall": Kind.CATCH_ALL,
    "anyaddressexceptmailboxes": Kind.CATCH_ALL,
    "anyaddressexceptvalidusers": Kind.CATCH_ALL,
}
BETWEEN = re.compile(r"[\s;,]+")
DAYS = ("%Y-%m-%d", "%d.%m.%Y")
LONGEST_ADDRESS = 254
LONGEST_NOTE = 2_000


class Pattern(NamedTuple):
    local: str
    domain: str
    has_star: bool


def pattern(cell: str) -> Pattern:
    """Return what stands in the column of addresses: `sales-*@example.org`."""
    written = _seen(cell).lower()
    if not written:
        raise Meaningless("There is no address.")
    local, at, domain = written.rpartition("@")
    if not at or not domain:
        raise Meaningless("There is no domain. Write it behind an @.")
    if len(written) > LONGEST_ADDRESS:
        raise Meaningless("The whole address is too long.")
    has_star = local.endswith("*")
    local = local.removesuffix("*")
    if "@" in local:
        raise Meaningless("There is more than one @ in it.")
    if "*" in local or "*" in domain:
        raise Meaningless("A star stands only right before the @.")
    if any(map(str.isspace, written)):
        raise Meaningless("There is a space in it.")
    return Pattern(local, domain, has_star)


def kind(cell: str, found: Pattern) -> Kind:
    """Return the kind of a rule: as the file says, or as its pattern tells."""
    word = plain(_seen(cell))
    if word and word not in KINDS:
        raise Meaningless("Write exact, prefix, any or catch-all, or leave it empty.")
    if not word and not found.local:
        raise Meaningless(
            "This is for any address: write “any”, which takes mail from mailboxes as "
            "well, or “catch-all”, which spares them."
        )
    told = Kind.PREFIX if found.has_star else Kind.EXACT
    meant = KINDS[word] if word else told
    if meant in (Kind.ANY, Kind.CATCH_ALL):
        if found.local:
            raise Meaningless("A rule for any address has no name before the @.")
    elif not found.local:
        raise Meaningless("There is nothing before the @.")
    elif meant == Kind.EXACT and found.has_star:
        raise Meaningless("An exact address has no star.")
    return meant


def targets(cell: str) -> tuple[str, ...]:
    """Return where mail goes, each address once."""
    words = [as_meant(it) for it in BETWEEN.split(_seen(cell)) if it]
    found = tuple(dict.fromkeys(it.lower() for it in words))
    if not found:
        raise Meaningless("There is no target.")
    if len(found) > MOST_TARGETS:
        raise Meaningless(f"At most {MOST_TARGETS} targets are possible.")
    if wrong := [it for it in found if not is_address(it)]:
        raise Meaningless(f"“{wrong[0][:60]}” is no e-mail address.")
    if any(len(it) > LONGEST_ADDRESS for it in found):
        raise Meaningless("A target is too long.")
    return found


def note(cell: str) -> str:
    written = as_meant(cell.strip())
    if len(written) > LONGEST_NOTE:
        raise Meaningless(f"At most {LONGEST_NOTE} characters fit.")
    return written


def day(cell: str, first: date) -> date | None:
    written = _seen(cell)
    if not written:
        return None
    for form in DAYS:
        try:
            found = datetime.strptime(written, form).date()  # noqa: DTZ007
        except ValueError:
            continue
        if found < first:
            raise Meaningless(
                f"Rules are deleted after a waiting time, so {first.isoformat()} is "
                "the first possible day."
            )
        return found
    raise Meaningless("Write a day like 2027-01-31.")


def _seen(cell: str) -> str:
    """Return what people see in a cell, unless it hides something."""
    written = as_meant(cell.strip())
    if name := invisible(written.replace("\n", " ").replace("\t", " ")):
        raise Meaningless(f"There is a character in it that nobody sees: {name}.")
    return written
