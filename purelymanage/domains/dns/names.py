"""Domain names as people paste them, and as the DNS and PurelyMail want them."""

from __future__ import annotations

import functools
import ipaddress
import re
import unicodedata

import idna
from publicsuffixlist import PublicSuffixList

LONGEST_NAME = 253
LONGEST_LABEL = 63
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
# Labels of any printable characters but the dot, and the backslash that escapes it.
ASKABLE = re.compile(r"[!-\-/-\[\]-~]{1,63}(\.[!-\-/-\[\]-~]{1,63})*")
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
# What browsers and chat programs leave in a copied name without showing it.
INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
# What surrounds a name in running text.
WRAPPING = (
    "\"'`<>()[],; \t\r\n“”„«»"
    "\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}"
)
WILDCARD = "*."


class BadName(ValueError):
    """The name is none that mail could go to. The text is meant for people."""


def domain_name(pasted: str) -> str:
    """Return the domain that somebody means, in the form the DNS uses.

    Takes URLs of web pages, e-mail addresses, capitals, dots at the end and either
    form of international names.
    """
    text = INVISIBLE.sub("", unicodedata.normalize("NFKC", pasted)).strip()
    text = text.strip(WRAPPING).lstrip("/")
    text = text.removeprefix("mailto:")
    if scheme := SCHEME.match(text):
        text = re.split(r"[/?#]", text[scheme.end() :], maxsplit=1)[0]
        text = text.rpartition("@")[2]
        text = re.sub(r":\d*$", "", text)
        # Of a web page, it is not this host that has the mail.
        text = re.sub(r"^www\.(?=.+\.)", "", text, flags=re.IGNORECASE)
    elif "@" in text:
        text = text.rpartition("@")[2]
    else:
        text = re.split(r"[/?#]", text, maxsplit=1)[0]
        text = re.sub(r":\d+$", "", text)
    text = text.strip().removeprefix(WILDCARD)
    # The dots of East Asian keyboards.
    text = re.sub("[\u3002\uff0e\uff61]", ".", text).rstrip(".").lower()
    if not text:
        raise BadName("Write the name of a domain, for example example.org.")
    if _is_address(pasted.strip()) or _is_address(text):
        raise BadName("This is an IP address. Mail needs a domain name.")
    if re.search(r"\s", text):
        raise BadName("There is a space in it. Write one domain name.")
    if text.startswith(".") or ".." in text:
        raise BadName("There is a dot too many in it.")
    if "_" in text:
        raise BadName(
            "There is an underscore in it. Names with underscores hold records only;"
            " no mail can go to them."
        )
    if "." not in text:
        raise BadName(
            f"“{_short(text)}” lacks its ending, such as .org or .com. Write the"
            " domain in full."
        )
    name = _ascii(text)
    _refuse_bad_labels(name)
    if is_public_suffix(name):
        raise BadName(
            f"{unicode_name(name)} is an ending under which others register their"
            " domains. Write the domain in front of it as well."
        )
    return name


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.strip("[]").removeprefix("ipv6:"))
    except ValueError:
        return False
    return True


def _ascii(text: str) -> str:
    if any(len(label) > LONGEST_LABEL for label in text.split(".")):
        raise BadName("One part between the dots is longer than 63 characters.")
    try:
        return (
            idna.encode(text, uts46=True).decode().lower()
            if _is_foreign(text)
            else text
        )
    except (idna.IDNAError, UnicodeError) as error:
        raise BadName(
            f"“{_short(text)}” is no domain name: it holds characters that domains"
            " cannot have."
        ) from error


def _is_foreign(text: str) -> bool:
    return not text.isascii() or "xn--" in text


def _refuse_bad_labels(name: str) -> None:
    labels = name.split(".")
    if len(name) > LONGEST_NAME:
        raise BadName("The name is longer than the 253 characters that are allowed.")
    for label in labels:
        if len(label) > LONGEST_LABEL:
            raise BadName("One part between the dots is longer than 63 characters.")
        if label.startswith("-") or label.endswith("-"):
            raise BadName(f"“{_short(label)}” begins or ends with a hyphen.")
        if not LABEL.fullmatch(label):
            raise BadName(
                f"“{_short(label)}” holds characters that domains cannot have: only"
                " letters, digits and hyphens."
            )
    if labels[-1].isdigit():
        raise BadName(f"No domain ends with .{labels[-1]}. Look for a slip of the pen.")


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"


@functools.cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(only_icann=True)


def is_public_suffix(name: str) -> bool:
    """Whether anybody may register names below this one."""
    return bool(_suffixes().privatesuffix(name) is None)


def registered_domain(name: str) -> str:
    """Return the part that was registered: example.co.uk of mail.example.co.uk."""
    return _suffixes().privatesuffix(name) or name


def unicode_name(name: str) -> str:
    """Return the form people read; the name itself where there is none."""
    try:
        return idna.decode(name) if "xn--" in name else name
    except (idna.IDNAError, UnicodeError):
        return name


def is_askable(name: str) -> bool:
    """Whether a question about this name can be put into a DNS packet."""
    return len(name) <= LONGEST_NAME and ASKABLE.fullmatch(name) is not None
