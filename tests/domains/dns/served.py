"""Zones of a test, served by the stand-in DNS over real UDP and TCP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from unittest import mock

from purelymanage.domains.dns import looking, wire
from purelymanage.domains.dns.looking import Memory
from purelymanage.domains.dns.observations import Observation, Question
from purelymanage.domains.dns.servers import Server
from purelymanage.purelymail.sandbox.demo_zones import NAME_SERVER, TOP
from purelymanage.purelymail.sandbox.dns import DnsServer
from purelymanage.purelymail.sandbox.zones import Zones
from tests.domains.dns.cases import Line

# Seconds for an answer that will come, however busy the machine is.
PATIENCE = 20.0


class Served:
    """A DNS responder with whatever zones it is given at the moment."""

    def __init__(self) -> None:
        self.zones = Zones()
        self.silent: set[str] = set()
        self.dns = DnsServer(lambda: self.zones)
        self.server = Server("127.0.0.1", self.dns.port)

    def serve(self, zones: Mapping[str, tuple[list[Line], str]]) -> None:
        """Serve these zones only. Every name server in them is this one."""
        fresh = Zones()
        for top in TOP:
            records = [("@", "NS", f"ns1.{top}"), ("ns1", "A", NAME_SERVER)]
            fresh.put(top, records)
        for name, (lines, failure) in zones.items():
            fresh.put(name, map(_own_address, lines), failure=failure)
        self.zones = fresh
        self.silent = {name for name, (_, it) in zones.items() if it == "silent"}

    def will_answer(self, server: Server, name: str) -> bool:
        if server.port != self.server.port:
            return False
        return not any(f".{name}".endswith(f".{zone}") for zone in self.silent)

    def look(self, *domains: str, at_zone: bool = False) -> dict[str, Observation]:
        """Look with nothing remembered."""
        return looking.look(
            domains, servers=[self.server], kept=Memory(), at_zone=at_zone
        )


def _own_address(line: Line) -> Line:
    name, type, value, *rest = line
    if name.startswith("ns") and type == "A":
        value = NAME_SERVER
    return (name, type, value, rest[0]) if rest else (name, type, value)


@contextmanager
def served() -> Iterator[Served]:
    """Serve zones, and wait for silent ones a moment only."""
    running = Served()
    running.dns.start()
    real = wire.ask

    async def ask(question: Question, server: Server, *, timeout: float) -> wire.Reply:
        will_answer = running.will_answer(server, question[0])
        return await real(
            question, server, timeout=PATIENCE if will_answer else timeout
        )

    try:
        with (
            mock.patch.object(looking, "PER_TRY", 0.4),
            mock.patch.object(looking, "PER_QUESTION", 0.8),
            mock.patch.object(wire, "ask", ask),
        ):
            yield running
    finally:
        running.dns.stop()
