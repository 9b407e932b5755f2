"""Fetches a small file of somebody else's without being led to what is our own."""

from __future__ import annotations

import asyncio
import io
import ipaddress
import re
import socket
import ssl
from collections.abc import Awaitable, Callable
from http.client import HTTPException, HTTPResponse
from typing import TypeAlias, cast
from urllib.parse import urljoin, urlsplit

from purelymanage.migrations.discovery.autoconfig import HOST

PORT = 443
MOST_BYTES = 64 * 1024
MOST_REDIRECTS = 3
# So that a dead address leaves time for the next one.
CONNECT_TIMEOUT = 2.5
MOST_ADDRESSES = 3
VISIBLE = re.compile(r"[!-~]+")
NAT64 = ipaddress.ip_network("64:ff9b::/96")

# Returns the IP addresses of a host name.
Resolve: TypeAlias = Callable[[str], Awaitable[list[str]]]


class NotFetched(Exception):
    """There is no such file, or it is not to be had. The text is half a sentence."""


def is_public(address: str) -> bool:
    """Whether an address belongs to the Internet, and not to a network of our own."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo or (0, None))[1]
        if found in NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return found.is_global and not (
        found.is_multicast or found.is_reserved or found.is_unspecified
    )


class Fetcher:
    def __init__(
        self,
        resolve: Resolve,
        context: ssl.SSLContext,
        *,
        reaches_private: bool = False,
    ) -> None:
        self._resolve = resolve
        self._context = context
        self._reaches_private = reaches_private

    async def fetch(self, url: str) -> bytes:
        """Return what lies at `url`. Raise NotFetched if that cannot be had safely.

        Each address is looked up, judged and then connected to as it was judged, so
        that a name cannot mean one thing when asked and another when used.
        """
        for _ in range(MOST_REDIRECTS + 1):
            host, path = _parts(url)
            response = await self._get(host, path)
            if response.status in (301, 302, 303, 307, 308):
                try:
                    url = urljoin(url, response.getheader("Location") or "")
                except ValueError as exc:
                    raise NotFetched("leads to an address that makes no sense") from exc
                continue
            if response.status != 200:
                raise NotFetched("nothing there")
            if (response.getheader("Content-Encoding") or "identity") != "identity":
                raise NotFetched("answers with something that cannot be read")
            try:
                return response.read()
            except (HTTPException, ValueError) as exc:
                raise NotFetched("answers with something that is cut off") from exc
        raise NotFetched("leads on and on")

    async def _get(self, host: str, path: str) -> HTTPResponse:
        addresses = await self._resolve(host)
        if not addresses:
            raise NotFetched("nothing there")
        if not self._reaches_private and not all(map(is_public, addresses)):
            raise NotFetched("leads into a private network, where nothing is asked")
        failure = "cannot be reached"
        for address in addresses[:MOST_ADDRESSES]:
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT):
                    reader, writer = await asyncio.open_connection(
                        address, PORT, ssl=self._context, server_hostname=host
                    )
            except ssl.SSLCertVerificationError:
                failure = "shows a certificate that is not trusted"
            except (OSError, EOFError):  # a timeout is one of them
                pass
            else:
                break
        else:
            raise NotFetched(failure)
        try:
            raw = await _exchange(reader, writer, host, path)
        except (OSError, EOFError) as exc:
            raise NotFetched("breaks off") from exc
        finally:
            writer.transport.abort()
        return _parsed(raw)


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, path: str
) -> bytes:
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n"
        "User-Agent: PurelyManage\r\nAccept: application/xml, text/xml\r\n"
        "Accept-Encoding: identity\r\n\r\n".encode("ascii")
    )
    await writer.drain()
    raw = bytearray()
    while piece := await reader.read(MOST_BYTES):
        raw += piece
        if len(raw) > MOST_BYTES:
            raise NotFetched("answers with far too much")
    return bytes(raw)


class _Received:
    """What `HTTPResponse` reads in place of a socket."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def makefile(self, *_: object) -> io.BytesIO:
        return io.BytesIO(self._raw)


def _parsed(raw: bytes) -> HTTPResponse:
    response = HTTPResponse(cast(socket.socket, _Received(raw)))
    try:
        response.begin()
    except (HTTPException, ValueError, OSError) as exc:
        raise NotFetched("answers with something that cannot be read") from exc
    return response


def _parts(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as exc:
        raise NotFetched("leads to an address that makes no sense") from exc
    path = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
    if parts.scheme != "https":
        raise NotFetched("leads to a page without encryption, where nothing is asked")
    if parts.username or port not in (None, 443) or not HOST.fullmatch(host):
        raise NotFetched("leads to a place where nothing is asked")
    if "." not in host or host.rpartition(".")[2].isdigit():
        raise NotFetched("leads to a place where nothing is asked")
    if not (path.startswith("/") and VISIBLE.fullmatch(path)):
        raise NotFetched("leads to an address that makes no sense")
    return host, path
