"""Who is asked: the resolvers of the settings or of the system."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

import dns.exception
from django.conf import settings

PORT = 53


@dataclass(frozen=True, slots=True)
class Server:
    host: str
    port: int = PORT
    # A resolver finds out by itself; a zone's own server knows its zone only.
    is_resolver: bool = True

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.host if self.port == PORT else f"{host}:{self.port}"


class NoResolver(Exception):
    """Nobody can be asked. The text is a sentence."""


def resolvers() -> tuple[Server, ...]:
    """Return the resolvers of the settings, else those of the system."""
    if settings.DNS_RESOLVERS:
        return tuple(map(parsed, settings.DNS_RESOLVERS))
    from dns.resolver import Resolver  # with all that `wire.ask` brings

    try:
        known = Resolver().nameservers
    except dns.exception.DNSException as exc:
        raise NoResolver(
            "No DNS resolver is known: name one in DNS_RESOLVERS, such as 9.9.9.9."
        ) from exc
    return tuple(Server(str(it)) for it in known)


def parsed(text: str) -> Server:
    """Read `host`, `host:port`, `[host]:port` or a bare IPv6 address."""
    text = text.strip()
    try:
        return Server(str(ipaddress.ip_address(text.strip("[]"))))
    except ValueError:
        host, _, port = text.rpartition(":")
    try:
        return Server(str(ipaddress.ip_address(host.strip("[]"))), int(port))
    except ValueError:
        raise NoResolver(
            f"DNS_RESOLVERS names {text!r}, which is no address of a resolver. Write "
            "it like 9.9.9.9 or 127.0.0.1:5353."
        ) from None


def own_server(address: str, known: tuple[Server, ...]) -> Server:
    """Return a zone's server at `address`.

    Where a resolver of ours is at the same address, both are one program, as in the
    sandbox, and it is asked at the port it is known by.
    """
    port = next((it.port for it in known if it.host == address), PORT)
    return Server(address, port, is_resolver=False)
