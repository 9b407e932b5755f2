"""A DNS server for the example zones, over UDP and TCP on one port.

It is resolver and name server of every zone in one: a question that asks for recursion
is meant for the resolver.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import threading
from collections.abc import Callable, Coroutine
from typing import Any, cast

import dnslib

from purelymanage.purelymail.sandbox.zones import TTL, Record, Zone, Zones

# Of a start of authority: serial, refresh, retry, expire.
TIMES = (1, 3600, 600, 86400)
LONGEST_STRING = 255
LARGEST_DATAGRAM = 1232
PORT_TRIES = 20
IDLE = 10.0  # seconds before a TCP connection is closed
QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"')


class DnsServer:
    """Serves what `zones` returns at the moment of the question."""

    def __init__(
        self, zones: Callable[[], Zones], *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.latency: float = 0
        self.answered = 0
        self._zones = zones
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        # A port that is free for UDP may be taken for TCP.
        for tries_left in reversed(range(1 if port else PORT_TRIES)):
            self._udp = _bound(host, port, socket.SOCK_DGRAM)
            self.port: int = self._udp.getsockname()[1]
            try:
                self._tcp = _bound(host, self.port, socket.SOCK_STREAM)
            except OSError:
                self._udp.close()
                if not tries_left:
                    raise
            else:
                break

    def start(self) -> None:
        ready = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(ready,), name="sandbox-dns", daemon=True
        )
        self._thread.start()
        ready.wait()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self, ready: threading.Event) -> None:
        loop = self._loop
        asyncio.set_event_loop(loop)
        loop.run_until_complete(
            loop.create_datagram_endpoint(lambda: _Datagrams(self), sock=self._udp)
        )
        server = loop.run_until_complete(
            asyncio.start_server(self._converse, sock=self._tcp)
        )
        loop.call_soon(ready.set)
        try:
            loop.run_forever()
        finally:
            server.close()
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(asyncio.sleep(0))
            self._udp.close()
            loop.close()

    def keep(self, work: Coroutine[Any, Any, None]) -> None:
        """Let `work` run; without a reference it might be collected half-way."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _converse(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(OSError, EOFError, TimeoutError):
            while True:
                async with asyncio.timeout(IDLE):
                    length = int.from_bytes(await reader.readexactly(2), "big")
                    question = await reader.readexactly(length)
                answer = await self.answer(question, tcp=True)
                if answer is not None:
                    writer.write(len(answer).to_bytes(2, "big") + answer)
                    await writer.drain()
        writer.close()

    async def answer(self, raw: bytes, *, tcp: bool) -> bytes | None:
        try:
            request = dnslib.DNSRecord.parse(raw)
        except (dnslib.DNSError, dnslib.buffer.BufferError):
            return None
        self.answered += 1
        zones = self._zones()
        found = zones.zone_of(str(request.q.qname))
        latency = self.latency + (found[1].latency if found else 0)
        if latency:
            await asyncio.sleep(latency)
        return _answer(request, zones, found, tcp=tcp)


class _Datagrams(asyncio.DatagramProtocol):
    transport: asyncio.DatagramTransport

    def __init__(self, server: DnsServer) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._server.keep(self._reply(data, addr))

    async def _reply(self, data: bytes, addr: Any) -> None:
        answer = await self._server.answer(data, tcp=False)
        if answer is not None:
            self.transport.sendto(answer, addr)


def _bound(host: str, port: int, kind: socket.SocketKind) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, kind)
    try:
        if kind == socket.SOCK_STREAM:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        bound.bind((host, port))
        bound.settimeout(0)
    except BaseException:
        bound.close()
        raise
    return bound


def _answer(
    request: Any, zones: Zones, found: tuple[str, Zone] | None, *, tcp: bool
) -> bytes | None:
    """Return the reply in the form of the wire, or None where a zone is silent."""
    wants_resolver = bool(request.header.rd)
    failure = found[1].failure if found else ""
    reply = request.reply(aa=not wants_resolver, ra=1)
    reply.header.ad = 0
    if failure == "silent":
        return None
    if failure == "servfail" or (failure == "lame" and wants_resolver):
        reply.header.rcode = dnslib.RCODE.SERVFAIL
    elif failure == "refused":
        reply.header.rcode = dnslib.RCODE.REFUSED
    elif failure == "lame":
        reply.header.aa = 0
        if str(dnslib.QTYPE.get(request.q.qtype)) == "NS":
            # The zone above is served here as well, and it does point to them.
            for record in zones.at(str(request.q.qname)):
                if record.type == "NS":
                    reply.add_auth(_resource(record))
    elif failure == "cut" or (failure == "truncated" and not tcp):
        reply.header.tc = 1
    else:
        _fill(reply, zones, found, at_zone=not wants_resolver)
    raw = bytes(reply.pack())
    if failure == "garbled":
        return raw[:4] + b"\xff" * 24
    if not tcp and len(raw) > LARGEST_DATAGRAM:
        return bytes(reply.truncate().pack())
    return raw


def _fill(
    reply: Any, zones: Zones, found: tuple[str, Zone] | None, *, at_zone: bool
) -> None:
    name = str(reply.q.qname)
    kind = str(dnslib.QTYPE.get(reply.q.qtype))
    if found is None:  # names outside the zones do not exist
        reply.header.rcode = dnslib.RCODE.NXDOMAIN
        return
    for record in zones.look_up(name, kind, at_zone=at_zone):
        reply.add_answer(_resource(record))
    if kind == "SOA" and zones.is_zone(name) and not reply.rr:
        reply.add_answer(_authority(*found))
    if not reply.rr:
        reply.add_auth(_authority(*found))
        if not zones.exists(name, at_zone=at_zone):
            reply.header.rcode = dnslib.RCODE.NXDOMAIN


def _resource(record: Record) -> Any:
    if record.type == "TXT":
        data = dnslib.TXT(_strings(record.value.encode()))
    elif record.type == "MX":
        priority, host = record.value.split()
        data = dnslib.MX(host, int(priority))
    elif record.type in {"A", "AAAA", "CNAME", "NS"}:
        data = getattr(dnslib, record.type)(record.value)
    else:
        line = f". {record.ttl} IN {record.type} {record.value}"
        data = dnslib.RR.fromZone(line)[0].rdata
    kind = getattr(dnslib.QTYPE, record.type)
    return dnslib.RR(record.name, kind, rdata=data, ttl=record.ttl)


def _strings(raw: bytes) -> list[bytes]:
    if raw[:1] == raw[-1:] == b'"' and len(raw) > 1:
        return [
            re.sub(rb"\\(.)", rb"\1", part.group(1)) for part in QUOTED.finditer(raw)
        ]
    starts = range(0, max(len(raw), 1), LONGEST_STRING)
    return [raw[at : at + LONGEST_STRING] for at in starts]


def _authority(zone: str, contents: Zone) -> Any:
    """Return the start of authority; what does not exist lives as briefly as the rest."""
    ttl = min((it.ttl for it in contents.records), default=TTL)
    data = dnslib.SOA(f"ns1.{zone}", f"hostmaster.{zone}", (*TIMES, ttl))
    return dnslib.RR(zone, dnslib.QTYPE.SOA, rdata=data, ttl=ttl)
