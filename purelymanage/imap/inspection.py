"""A close look at a server: how far one gets there, and what was seen on the way."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from enum import StrEnum

from . import certificates
from .account import Account, Security
from .certificates import Certificate
from .errors import CertificateRefused, ImapError, Unreachable
from .opening import Stage
from .session import Session, authenticate, connect


class Step(StrEnum):
    """What is tried, in this order; under STARTTLS the greeting comes before TLS."""

    REACH = "reach"
    ENCRYPT = "encrypt"
    TRUST = "trust"
    GREET = "greet"
    ASK = "ask"
    LOG_IN = "log in"


@dataclass(slots=True, kw_only=True)
class Inspection:
    """What was seen. `failed_at` is where it ended, if it did not reach its end."""

    address: str = ""
    # Until the server was reached, and in all.
    seconds_to_reach: float = 0
    seconds: float = 0
    tls_version: str = ""
    certificate: Certificate | None = None
    greeting: str | None = None
    capabilities: frozenset[str] = frozenset()
    is_logged_in: bool = False
    problem: ImapError | None = None
    failed_at: Step | None = None


def inspect(account: Account, *, timeout: float = 10) -> Inspection:
    """Look at a server, with a login if the account names a user. Never raises."""
    return asyncio.run(_inspect(account, timeout))


async def _inspect(account: Account, timeout: float) -> Inspection:
    started = time.monotonic()
    seen = Inspection()
    deadline = asyncio.get_running_loop().time() + timeout
    try:
        async with asyncio.timeout_at(deadline):
            await _walk(account, seen, timeout)
    except ImapError as exc:
        seen.problem, seen.failed_at = exc, _where(account, seen, exc)
    except TimeoutError:
        seen.problem = Unreachable(
            f"The {account.place} did not answer within {timeout:g} seconds."
        )
        seen.failed_at = _where(account, seen, seen.problem)
    if seen.failed_at is Step.TRUST:
        await _look_without_trust(account, seen, deadline)
    seen.seconds = time.monotonic() - started
    return seen


async def _walk(account: Account, seen: Inspection, timeout: float) -> None:
    started = time.monotonic()

    def passed(stage: Stage, detail: str) -> None:
        if stage is Stage.REACHED:
            seen.address = detail
            seen.seconds_to_reach = time.monotonic() - started
        elif stage is Stage.ENCRYPTED:
            seen.tls_version = detail
        else:
            seen.greeting = detail

    session: Session | None = None
    try:
        session = await connect(
            account, connect_timeout=timeout, read_timeout=timeout, passed=passed
        )
        connection = session.connection
        seen.certificate = certificates.read(connection.certificate)
        await connection.learn_capabilities()
        seen.capabilities = connection.capabilities
        if account.user:
            if not session.greeting.startswith("PREAUTH"):
                await authenticate(connection, account)
            seen.is_logged_in = True
            await connection.learn_capabilities()
            seen.capabilities = connection.capabilities
    finally:
        if session is not None:
            await session.connection.close(politely=True)


async def _look_without_trust(
    account: Account, seen: Inspection, deadline: float
) -> None:
    """See what a server shows that is not trusted. It is told no password."""
    stranger = replace(account, user="", password="", verify_certificate=False)
    left = max(1.0, deadline - asyncio.get_running_loop().time())
    more = Inspection()
    try:
        async with asyncio.timeout(left):
            await _walk(stranger, more, left)
    except (ImapError, TimeoutError):
        # It was the certificate that stood in the way, and that is told already.
        pass
    seen.address = seen.address or more.address
    seen.tls_version = more.tls_version
    seen.certificate = more.certificate
    seen.greeting = seen.greeting if seen.greeting is not None else more.greeting
    seen.capabilities = more.capabilities


def _where(account: Account, seen: Inspection, problem: ImapError) -> Step:
    """Return the first step that was not passed."""
    if isinstance(problem, CertificateRefused):
        return Step.TRUST
    if not seen.address:
        return Step.REACH
    is_encrypted = account.security is Security.CLEAR or bool(seen.tls_version)
    if account.security is Security.TLS and not is_encrypted:
        return Step.ENCRYPT
    if seen.greeting is None:
        return Step.GREET
    if not is_encrypted:
        return Step.ENCRYPT
    return Step.LOG_IN if seen.capabilities and account.user else Step.ASK
