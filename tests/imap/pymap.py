"""The stand-in's IMAP server, which is made of pymap, for any users we like."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from purelymanage.imap.account import Account, Security
from purelymanage.purelymail.sandbox.imap import ImapServers
from purelymanage.purelymail.sandbox.imap_login import Provider
from purelymanage.purelymail.sandbox.mail_store import MailStore, NewFolder


@dataclass
class Pymap:
    """Use it as a context manager; the port is known inside."""

    prefix: str = field(default="", init=False)
    separator: str = field(default="/", init=False)
    port: int = field(default=0, init=False)
    users: dict[str, str] = field(default_factory=dict, init=False)

    def __enter__(self) -> Self:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._servers = ImapServers(context)
        provider = Provider("pymap", MailStore(None), self._check, _first_folders)
        self.port = self._servers.add(provider)
        self._servers.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._servers.stop()

    def add_user(self, user: str, password: str) -> None:
        self.users[user] = password

    def account(self, user: str) -> Account:
        return Account(
            host="127.0.0.1",
            port=self.port,
            user=user,
            password=self.users[user],
            security=Security.CLEAR,
        )

    def _check(self, user: str, password: str) -> str | None:
        return user if self.users.get(user) == password else None


def _first_folders(owner: str) -> list[NewFolder]:
    return [NewFolder("INBOX")]
