"""Opening a connection: names, sockets, certificates, and what can go wrong there."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeAlias

from .account import Account, Security
from .errors import CertificateRefused, ImapError, ProtocolError, Unreachable
from .wire import READ_AHEAD, Wire

READ_AGAIN_EVERY = 60  # seconds
# For each address but the last.
ADDRESS_TIMEOUT = 3.0

_Addresses = list[tuple[Any, ...]]


class Stage(StrEnum):
    """How far an attempt has come; the order of the last two is the server's choice."""

    REACHED = "reached"
    ENCRYPTED = "encrypted"
    GREETED = "greeted"


# Told of each stage as it is left behind, with what is known of it.
Passed: TypeAlias = Callable[[Stage, str], None]


async def open_wire(
    account: Account,
    context: ssl.SSLContext | None,
    timeout: float,
    passed: Passed | None = None,
) -> Wire:
    """Connect, with TLS from the first byte if there is a context."""
    with _explained(account):
        try:
            async with asyncio.timeout(timeout):
                sock = await _connect(account.host, account.port)
                if passed is not None:
                    passed(Stage.REACHED, str(sock.getpeername()[0]))
                reader, writer = await asyncio.open_connection(
                    sock=sock,
                    limit=READ_AHEAD,
                    ssl=context,
                    server_hostname=account.host if context else None,
                    # Ours ends the attempt; this one only has to be longer.
                    ssl_handshake_timeout=timeout + 5 if context else None,
                )
        except TimeoutError as exc:
            raise Unreachable(
                f"The {account.place} did not answer within {timeout:g} seconds.",
                str(exc),
            ) from None
    return Wire(account.place, reader, writer)


async def start_tls(
    wire: Wire, account: Account, context: ssl.SSLContext, timeout: float
) -> None:
    """Go on under TLS; nothing said before may be taken for said under it."""
    early = asyncio.ensure_future(wire.reader.read(1))
    await asyncio.sleep(0)
    if early.done():
        raise ProtocolError(
            f"The {account.place} spoke between STARTTLS and the encryption."
        )
    early.cancel()
    with _explained(account):
        try:
            async with asyncio.timeout(timeout):
                await wire.writer.start_tls(
                    context,
                    server_hostname=account.host,
                    ssl_handshake_timeout=timeout + 5,
                )
        except TimeoutError as exc:
            raise Unreachable(
                f"The {account.place} did not begin the encryption in time.",
                str(exc),
            ) from None


def tls_context(
    security: Security, *, verify: bool, ca_file: str | None
) -> ssl.SSLContext | None:
    if security == Security.CLEAR:
        return None
    return _context(verify, ca_file, int(time.monotonic() // READ_AGAIN_EVERY))


@lru_cache(maxsize=8)
def _context(verify: bool, ca_file: str | None, age: int) -> ssl.SSLContext:  # noqa: FBT001
    """Read what is trusted; that takes longer than to sign in, so not each time."""
    context = ssl.create_default_context()
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError) as exc:
            raise CertificateRefused(
                f"The file of trusted certificates {ca_file} cannot be read.", str(exc)
            ) from None
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


@contextmanager
def _explained(account: Account) -> Iterator[None]:
    """Turn what the system says into sentences."""
    place = account.place
    try:
        yield
    except ImapError:
        raise
    except ssl.SSLCertVerificationError as exc:
        reason = exc.verify_message.rstrip(".")
        raise CertificateRefused(
            f"The certificate of the {place} is not trusted: {reason}.", str(exc)
        ) from None
    except (ssl.SSLError, ConnectionResetError, EOFError) as exc:
        raise Unreachable(f"No secure connection to the {place}.", str(exc)) from None
    except ConnectionRefusedError as exc:
        raise Unreachable(f"Nobody listens at the {place}.", str(exc)) from None
    except socket.gaierror as exc:
        raise Unreachable(
            f"The {place} was not found: no server has this name.", str(exc)
        ) from None
    except OSError as exc:
        raise Unreachable(f"The {place} cannot be reached.", str(exc)) from None


async def _connect(host: str, port: int) -> socket.socket:
    """Try the addresses of `host` in turn."""
    addresses = await _resolve(host, port)
    failure: OSError = socket.gaierror(socket.EAI_NONAME, "no address")
    for number, address in enumerate(addresses, start=1):
        # A dead IPv6 route must not use up the time for the IPv4 one.
        patience = ADDRESS_TIMEOUT if number < len(addresses) else None
        try:
            async with asyncio.timeout(patience):
                return await _connect_to(address)
        except OSError as exc:
            # A timeout of ours is one of them.
            failure = exc
    raise failure


async def _connect_to(address: tuple[Any, ...]) -> socket.socket:
    family, kind, protocol, _, where = address
    sock = socket.socket(family, kind, protocol)
    try:
        sock.settimeout(0)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(sock, where)
    except BaseException:
        sock.close()
        raise
    return sock


async def _resolve(host: str, port: int) -> _Addresses:
    """Look `host` up in a thread that nobody waits for.

    The loop's own executor is joined when the loop ends, so a silent name server
    would hold up whoever has long stopped waiting.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[_Addresses] = loop.create_future()

    def settle(found: _Addresses | None, failure: Exception | None) -> None:
        if answer.done():
            return
        if failure is not None:
            answer.set_exception(failure)
        else:
            answer.set_result(found or [])

    def look_up() -> None:
        found: _Addresses | None = None
        failure: Exception | None = None
        try:
            found = list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except UnicodeError:
            failure = socket.gaierror(socket.EAI_NONAME, "not a host name")
        except OSError as exc:
            failure = exc
        try:
            loop.call_soon_threadsafe(settle, found, failure)
        except RuntimeError:
            # The loop has gone, and with it whoever asked.
            return

    threading.Thread(target=look_up, name=f"look up {host}", daemon=True).start()
    return await answer
