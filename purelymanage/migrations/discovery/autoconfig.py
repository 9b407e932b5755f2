"""Reads the settings that providers publish for mail programs (config-v1.1.xml)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree  # see `_root`

from purelymanage.imap.account import Security

HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
SECURITY = {
    "SSL": Security.TLS,
    "STARTTLS": Security.STARTTLS,
    "plain": Security.CLEAR,
}
ORDER = list(Security)
# Ways to sign in without a password.
OAUTH = "OAuth2"
MOST_SERVERS = 20


class Unreadable(ValueError):
    """This is no such file. The text completes "It holds"."""


@dataclass(frozen=True, slots=True)
class Published:
    host: str
    port: int
    security: Security
    # How one signs in, in words; empty if it is not said.
    user: str = ""
    takes_passwords: bool = True


def read(content: bytes, *, address: str, domain: str) -> list[Published]:
    """Return the IMAP servers that a file names, the best protected first."""
    root = _root(content)
    if root.tag != "clientConfig":
        raise Unreadable("no settings for mail programs")
    found = list(_servers(root, address, domain))
    return sorted(found, key=lambda it: ORDER.index(it.security))


def _root(content: bytes) -> ElementTree.Element:
    """Parse without a document type, as nothing bad can be defined without one.

    It is decoded here, so that no other encoding can hide what is looked for.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise Unreadable("something that cannot be read") from exc
    if "<!doctype" in text.lower() or "<!entity" in text.lower():
        raise Unreadable("a document type, which such files do not need")
    # A declaration names the encoding that we have just undone.
    text = re.sub(r"\A\s*<\?xml[^>]*\?>", "", text)
    try:
        return ElementTree.fromstring(text)  # noqa: S314  # see above
    except (ElementTree.ParseError, ValueError) as exc:
        raise Unreadable("something that cannot be read") from exc


def _servers(
    root: ElementTree.Element, address: str, domain: str
) -> Iterator[Published]:
    everything = root.findall("emailProvider/incomingServer")
    for server in everything[:MOST_SERVERS]:
        host = _filled(_text(server, "hostname"), address, domain).lower().rstrip(".")
        security = SECURITY.get(_text(server, "socketType"))
        port = _text(server, "port")
        if server.get("type") != "imap" or security is None:
            continue
        if not HOST.fullmatch(host) or len(host) > 253 or "." not in host:
            continue
        if not (port.isascii() and port.isdigit() and 1 <= int(port[:6]) <= 65535):
            continue
        ways = [(it.text or "").strip() for it in server.findall("authentication")]
        yield Published(
            host,
            int(port),
            security,
            _user(_text(server, "username")),
            takes_passwords=not ways or any(it != OAUTH for it in ways),
        )


def _user(form: str) -> str:
    if form == "%EMAILADDRESS%":
        return "the whole address"
    if form == "%EMAILLOCALPART%":
        return "the part before the @"
    return ""


def _filled(text: str, address: str, domain: str) -> str:
    local = address.partition("@")[0]
    return (
        text.replace("%EMAILADDRESS%", address)
        .replace("%EMAILLOCALPART%", local)
        .replace("%EMAILDOMAIN%", domain)
    )


def _text(element: ElementTree.Element, name: str) -> str:
    return (element.findtext(name) or "").strip()
