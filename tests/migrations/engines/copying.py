from __future__ import annotations

from dataclasses import replace

from purelymanage.imap.account import Account, Security
from purelymanage.migrations.engines import get_engine
from purelymanage.migrations.engines.base import CopyOptions, Outcome, Progress, Report
from tests.imap.dovecot import Dovecot, Stored
from tests.imap.proxy import Proxy


def silent(progress: Progress) -> None:
    """Take a report and do nothing with it."""


def copy(
    source: Account,
    destination: Account,
    report: Report = silent,
    *,
    dry_run: bool = False,
    byte_window: int = 32 * 1024 * 1024,
    max_message_bytes: int | None = None,
    read_timeout: float = 20,
    reconnects: int = 5,
) -> Outcome:
    options = CopyOptions(
        dry_run=dry_run,
        byte_window=byte_window,
        max_message_bytes=max_message_bytes,
        read_timeout=read_timeout,
        reconnects=reconnects,
    )
    return get_engine("pipeline").copy(source, destination, options, report)


def through(proxy: Proxy, server: Dovecot, user: str) -> Account:
    """Return the account as it looks from behind a proxy, which needs clear text."""
    account = server.account(user, security=Security.CLEAR)
    return replace(account, port=proxy.port)


def counted(stored: list[Stored]) -> list[tuple[bytes, tuple[str, ...], str]]:
    """Return messages in a form that compares as a multiset."""
    return sorted((m.body, tuple(sorted(m.flags)), m.date) for m in stored)
