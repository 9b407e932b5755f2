"""Finds out which ports on this machine are free."""

from __future__ import annotations

import contextlib
import errno
import socket

LOOPBACKS = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))


def loopbacks() -> list[str]:
    """Return the addresses of this machine that "localhost" may stand for."""
    return [host for family, host in LOOPBACKS if _bind(family, host, 0) != "absent"]


def is_free(port: int, *, kind: int = socket.SOCK_STREAM) -> bool:
    return obstacle(port, kind=kind) is None


def obstacle(port: int, *, kind: int = socket.SOCK_STREAM) -> str | None:
    """Return why nobody can listen at `port`: "taken", "forbidden", or None."""
    found = {_bind(family, host, port, kind=kind) for family, host in LOOPBACKS}
    return next((why for why in ("taken", "forbidden") if why in found), None)


def keep_or_choose(port: int | None, *, udp_too: bool = False) -> int:
    """Return `port` if it is still free, otherwise another one."""

    def suits(number: int) -> bool:
        return is_free(number) and (
            not udp_too or is_free(number, kind=socket.SOCK_DGRAM)
        )

    while not port or not suits(port):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = int(listener.getsockname()[1])
    return port


def _bind(
    family: socket.AddressFamily,
    host: str,
    port: int,
    *,
    kind: int = socket.SOCK_STREAM,
) -> str:
    try:
        listener = socket.socket(family, kind)
    except OSError:
        return "absent"
    with contextlib.closing(listener):
        if kind == socket.SOCK_STREAM:
            # As the servers do: connections that are fading away do not count.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as exc:
            return (
                "taken" if exc.errno in (errno.EADDRINUSE, errno.EACCES) else "absent"
            )
    return "free"
