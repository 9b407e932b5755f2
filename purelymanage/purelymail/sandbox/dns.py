"""A DNS server for the example zones, over UDP and TCP on one port."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

import dnslib
from dnslib.server import BaseResolver, DNSHandler, DNSLogger, DNSServer

from purelymanage.purelymail.sandbox.zones import Record, Zones

TTL = 30
# Of a start of authority: serial, refresh, retry, expire, negative cache.
TIMES = (1, 3600, 600, 86400, TTL)
LONGEST_STRING = 255
LARGEST_DATAGRAM = 1232
PORT_TRIES = 20


class Silent(Exception):
    """Nothing is answered, as by a server that is down."""


class DnsServer:
    """Serves what `zones` returns at the moment of the question."""

    def __init__(
        self, zones: Callable[[], Zones], *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        resolver = _Resolver(zones)
        # A port that is free for UDP may be taken for TCP.
        for tries_left in reversed(range(1 if port else PORT_TRIES)):
            self._udp = _listen(resolver, host, port, tcp=False)
            self.port: int = self._udp.server_address[1]
            try:
                self._tcp = _listen(resolver, host, self.port, tcp=True)
            except OSError:
                self._udp.server_close()
                if not tries_left:
                    raise
            else:
                break

    def start(self) -> None:
        for server in (self._udp, self._tcp):
            threading.Thread(
                target=server.serve_forever,
                args=(0.05,),
                name="sandbox-dns",
                daemon=True,
            ).start()

    def stop(self) -> None:
        for server in (self._udp, self._tcp):
            server.shutdown()
            server.server_close()


def _listen(resolver: _Resolver, host: str, port: int, *, tcp: bool) -> Any:
    quiet = DNSLogger("nothing")
    server = DNSServer(
        resolver, address=host, port=port, tcp=tcp, logger=quiet, handler=_Handler
    ).server
    server.daemon_threads = True
    server.block_on_close = False
    return server


class _Handler(DNSHandler):  # type: ignore[misc]  # dnslib has no types
    udplen = LARGEST_DATAGRAM

    def handle(self) -> None:
        with contextlib.suppress(Silent, OSError, ValueError):
            super().handle()


class _Resolver(BaseResolver):  # type: ignore[misc]  # dnslib has no types
    def __init__(self, zones: Callable[[], Zones]) -> None:
        self._zones = zones

    def resolve(self, request: Any, handler: Any) -> Any:
        """Answer one question; names outside the zones do not exist."""
        zones = self._zones()
        reply = request.reply(aa=1, ra=1)
        name = str(request.q.qname)
        kind = str(dnslib.QTYPE.get(request.q.qtype))
        found = zones.zone_of(name)
        if found is None:
            reply.header.rcode = dnslib.RCODE.NXDOMAIN
            return reply
        zone, contents = found
        if contents.failure == "silent":
            raise Silent
        if contents.failure:
            reply.header.rcode = dnslib.RCODE.SERVFAIL
            return reply
        for record in zones.look_up(name, kind):
            reply.add_answer(_resource(record))
        if kind == "SOA" and zones.is_zone(name):
            reply.add_answer(_authority(zone))
        if not reply.rr:
            reply.add_auth(_authority(zone))
            if not zones.exists(name):
                reply.header.rcode = dnslib.RCODE.NXDOMAIN
        return reply


def _resource(record: Record) -> Any:
    if record.type == "TXT":
        raw = record.value.encode()
        starts = range(0, len(raw), LONGEST_STRING)
        data = dnslib.TXT([raw[at : at + LONGEST_STRING] for at in starts])
    elif record.type == "MX":
        priority, host = record.value.split()
        data = dnslib.MX(host, int(priority))
    else:
        data = getattr(dnslib, record.type)(record.value)
    kind = getattr(dnslib.QTYPE, record.type)
    return dnslib.RR(record.name, kind, rdata=data, ttl=TTL)


def _authority(zone: str) -> Any:
    data = dnslib.SOA(f"ns1.{zone}", f"hostmaster.{zone}", TIMES)
    return dnslib.RR(zone, dnslib.QTYPE.SOA, rdata=data, ttl=TTL)
