"""The stand-in's IMAP server, which is made of pymap, for any users we like."""

from __future__ import annotations

import ssl

from purelymanage.purelymail.sandbox.imap import ImapServers
from purelymanage.purelymail.sandbox.imap_login import Provider
from purelymanage.purelymail.sandbox.mail_store import MailStore, NewFolder
from tests.imap.serving import MailServer


class Pymap(MailServer):
    def begin(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._servers = ImapServers(context)
        provider = Provider("pymap", MailStore(None), self._check, _first_folders)
        self.port = self._servers.add(provider)
        self._servers.start()

    def end(self) -> None:
        self._servers.stop()

    def _check(self, user: str, password: str) -> str | None:
        return user if self.users.get(user) == password else None


def _first_folders(owner: str) -> list[NewFolder]:
    return [NewFolder("INBOX")]
