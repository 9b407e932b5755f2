"""From an account to a connection that is logged in."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass

from . import names, responses
from .account import Account, Security
from .connection import CommandPart, Connection, Literal, Prompted
from .errors import (
    ConnectionLost,
    ImapError,
    LoginRefused,
    ProtocolError,
    Refused,
    Unreachable,
)
from .opening import Passed, Stage, open_wire, start_tls, tls_context
from .responses import Status
from .wire import Wire

# Codes that speak of the server's state and not of this user.
_PASSING = {"INUSE", "LIMIT", "SERVERBUG", "THROTTLED", "UNAVAILABLE"}


@dataclass(frozen=True, slots=True)
class Session:
    connection: Connection
    greeting: str


async def log_in(
    account: Account,
    *,
    connect_timeout: float = 20,
    read_timeout: float = 60,
    keepalive: float = 30,
) -> Session:
    """Connect and log in; closes what it opened if that fails."""
    session = await connect(
        account,
        connect_timeout=connect_timeout,
        read_timeout=read_timeout,
        keepalive=keepalive,
    )
    connection = session.connection
    try:
        async with asyncio.timeout(max(connect_timeout, read_timeout)):
            await connection.learn_capabilities()
            if not session.greeting.startswith("PREAUTH"):
                await authenticate(connection, account)
            await connection.learn_capabilities()
    except TimeoutError:
        await connection.close()
        raise ConnectionLost(
            f"The {account.place} did not answer the log-in."
        ) from None
    except BaseException:
        await connection.close()
        raise
    return session


async def connect(
    account: Account,
    *,
    connect_timeout: float = 20,
    read_timeout: float = 60,
    keepalive: float = 30,
    passed: Passed | None = None,
) -> Session:
    """Connect, greet and encrypt, and stay anonymous."""
    context = tls_context(
        account.security, verify=account.verify_certificate, ca_file=account.ca_file
    )
    implicit = account.security == Security.TLS
    note = passed or _note_nothing
    wire = await open_wire(
        account, context if implicit else None, connect_timeout, passed
    )
    try:
        async with asyncio.timeout(connect_timeout):
            if implicit:
                note(Stage.ENCRYPTED, wire.tls_version or "")
            greeting = await _greet(wire)
            note(Stage.GREETED, greeting.text)
            if account.security == Security.STARTTLS and context is not None:
                await _ask_for_tls(wire)
                await start_tls(wire, account, context, connect_timeout)
                note(Stage.ENCRYPTED, wire.tls_version or "")
                # What was offered in the clear may have been forged.
                greeting = Status(b"", greeting.state, "", b"", greeting.text)
    except (TimeoutError, OSError, EOFError) as exc:
        wire.abort()
        raise Unreachable(
            f"The {account.place} did not greet us like a mail server.",
            str(exc),
        ) from None
    except BaseException:
        wire.abort()
        raise
    connection = Connection(
        wire,
        secrets=(account.password, _plain(account).decode("ascii")),
        read_timeout=read_timeout,
        keepalive=keepalive,
    )
    if greeting.code == "CAPABILITY":
        connection.learn(greeting.argument)
    return Session(connection, f"{greeting.state} {greeting.text}")


def _note_nothing(stage: Stage, detail: str) -> None:
    """Take the news of whoever wants none."""


async def _greet(wire: Wire) -> Status:
    greeting = responses.parse(await wire.read_response())
    if not isinstance(greeting, Status) or greeting.tag:
        raise ProtocolError(f"What answers at the {wire.place} is no mail server.")
    if greeting.state == "BYE":
        raise Unreachable(f"The {wire.place} turned us away.", greeting.text)
    if greeting.state not in {"OK", "PREAUTH"}:
        raise ProtocolError(f"What answers at the {wire.place} is no mail server.")
    return greeting


async def _ask_for_tls(wire: Wire) -> None:
    await wire.put(b"S1 STARTTLS\r\n")
    while True:
        answer = responses.parse(await wire.read_response())
        if isinstance(answer, Status) and answer.tag:
            break
    if not answer.ok:
        raise Unreachable(
            f"The {wire.place} offers no STARTTLS on this port.", answer.text
        )


async def authenticate(connection: Connection, account: Account) -> None:
    """Log in over a connection that is there already."""
    parts = _login_command(connection, account)
    connection.forget_capabilities()
    try:
        status = await (await connection.send(*parts))
    except ConnectionLost as exc:
        # Some servers hang up on a wrong password, others when they are full.
        raise ConnectionLost(
            f"The {account.place} hung up during the log-in.", exc.technical
        ) from None
    if not status.ok:
        raise _refusal(status, account)


def _login_command(connection: Connection, account: Account) -> list[CommandPart]:
    """Choose how the password travels: PLAIN is the one that can carry any text."""
    plain = _plain(account)
    if connection.has("AUTH=PLAIN"):
        if connection.has("SASL-IR"):
            return [b"AUTHENTICATE PLAIN " + plain]
        return [b"AUTHENTICATE PLAIN", Prompted(plain)]
    if connection.has("LOGINDISABLED"):
        raise LoginRefused(
            f"The {account.place} allows no log-in over this connection.",
            "LOGINDISABLED",
        )
    return [b"LOGIN ", _text(account.user), b" ", _text(account.password)]


def _text(value: str) -> CommandPart:
    raw = value.encode()
    return names.quote(raw) or Literal(len(raw), raw)


def _plain(account: Account) -> bytes:
    return base64.b64encode(f"\0{account.user}\0{account.password}".encode())


def _refusal(status: Status, account: Account) -> ImapError:
    if status.code in _PASSING:
        later = Refused(
            f"The {account.place} lets {account.user} in later, not now.",
            status.text,
            code=status.code,
        )
        later.retry = True
        return later
    return LoginRefused(
        f"The {account.place} refused this password for {account.user}.",
        status.text,
    )
