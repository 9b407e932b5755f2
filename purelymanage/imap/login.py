"""Quick questions to a server for whoever does not run an event loop."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from .account import Account, Security
from .errors import Unreachable
from .folders import FolderList, list_folders
from .session import Session, connect, log_in


@dataclass(frozen=True, slots=True)
class LoginCheck:
    greeting: str
    capabilities: frozenset[str]
    tls_version: str | None
    seconds: float


def check_login(account: Account, *, timeout: float = 15) -> LoginCheck:
    """Log in and out again, or raise an ImapError that says why not."""
    return asyncio.run(_check(account, timeout, anonymous=False))


def check_server(
    host: str,
    port: int,
    security: Security = Security.TLS,
    *,
    verify_certificate: bool = True,
    ca_file: str | None = None,
    timeout: float = 15,
) -> LoginCheck:
    """See whether a mail server answers there, without any credentials."""
    account = Account(
        host=host,
        port=port,
        user="",
        password="",
        security=security,
        verify_certificate=verify_certificate,
        ca_file=ca_file,
    )
    return asyncio.run(_check(account, timeout, anonymous=True))


@dataclass(frozen=True, slots=True)
class Look:
    """Which folders an account has, and what its server can do."""

    folders: FolderList
    capabilities: frozenset[str]


def look_into(account: Account, *, timeout: float = 15) -> Look:
    """Log in, list the folders and log out, or raise an ImapError that says why not."""
    return asyncio.run(_look(account, timeout))


async def _look(account: Account, timeout: float) -> Look:
    session: Session | None = None
    try:
        async with asyncio.timeout(timeout):
            session = await log_in(
                account, connect_timeout=timeout, read_timeout=timeout
            )
            connection = session.connection
            return Look(await list_folders(connection), connection.capabilities)
    except TimeoutError:
        raise Unreachable(
            f"The {account.place} did not list its folders within {timeout:g} seconds."
        ) from None
    finally:
        if session is not None:
            await session.connection.close(politely=True)


async def _check(account: Account, timeout: float, *, anonymous: bool) -> LoginCheck:
    started = time.monotonic()
    session: Session | None = None
    try:
        async with asyncio.timeout(timeout):
            enter = connect if anonymous else log_in
            session = await enter(
                account, connect_timeout=timeout, read_timeout=timeout
            )
            connection = session.connection
            await connection.learn_capabilities()
            return LoginCheck(
                session.greeting,
                connection.capabilities,
                connection.tls_version,
                time.monotonic() - started,
            )
    except TimeoutError:
        raise Unreachable(
            f"The {account.place} did not answer within {timeout:g} seconds."
        ) from None
    finally:
        if session is not None:
            await session.connection.close(politely=True)
