"""What the tests of the form have in common: a campaign at a mail server that counts."""

from __future__ import annotations

import socketserver
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.migrations.campaigns import links
from purelymanage.migrations.models import Campaign, Participant, Server
from tests.cast import CastTestCase

ANNA = "anna@old.example"
PASSWORD = "annas-own-password"  # known to the tests alone
WRONG = "not-it"


def make_campaign(owner: User, **fields: Any) -> tuple[Campaign, str]:
    """Write a campaign; return it with the token of the link for everybody."""
    server = fields.pop("server", None) or Server.objects.create(
        name="Old provider", host="127.0.0.1", port=9, created_by=owner
    )
    campaign = Campaign(
        **{
            "name": "Autumn move",
            "server": server,
            "rule": Campaign.Rule.SAME,
            "destination_domain": "example.org",
            "domains": ["example.org"],
            "signed_by": "Example Ltd",
            "purpose": "We move to a new provider.",
            "retention": "Your password is erased when your mail has been copied.",
            "contact": "help@example.org",
            "invitation_subject": "Your mail moves",
            "invitation_text": "{link}",
            "reminder_subject": "Reminder",
            "reminder_text": "{link}",
            "created_by": owner,
            "ends_at": timezone.now() + timedelta(days=7),
            **fields,
        }
    )
    token = links.mint(campaign)
    campaign.save()
    return campaign, token


def invite(
    campaign: Campaign, address: str = ANNA, **fields: Any
) -> tuple[Participant, str]:
    """Write somebody who was invited; return them with the token of their link."""
    participant = Participant(
        campaign=campaign, address=address, is_listed=True, **fields
    )
    token = links.mint(participant)
    participant.save()
    return participant, token


@dataclass
class CountingServer:
    """Speaks as much IMAP as a sign-in takes, and counts what reaches it."""

    passwords: dict[str, str] = field(default_factory=dict)
    # Seconds that each sign-in takes.
    delay: float = 0.0
    refusal: str = "[AUTHENTICATIONFAILED] No."
    # Hangs up where a password should be judged.
    hangs_up: bool = False
    logins: Counter[str] = field(default_factory=Counter, init=False)
    most_at_once: int = field(default=0, init=False)
    port: int = field(default=0, init=False)

    def __enter__(self) -> Self:
        self._at_once = 0
        self._lock = threading.Lock()
        counting = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                counting._serve(self)

        class Threads(socketserver.ThreadingTCPServer):
            daemon_threads = True
            request_queue_size = 64

        self._server = Threads(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        ).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, talk: socketserver.StreamRequestHandler) -> None:
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            talk.wfile.write(b"* OK [CAPABILITY IMAP4rev1] ready\r\n")
            while line := talk.rfile.readline():
                tag, command, *rest = line.decode().split(maxsplit=2)
                if command.upper() == "LOGIN" and self.hangs_up:
                    self.logins[rest[0].split()[0].strip('"')] += 1
                    return
                talk.wfile.write(self._answer(tag, command.upper(), rest))
                if command.upper() == "LOGOUT":
                    return
        finally:
            with self._lock:
                self._at_once -= 1

    def _answer(self, tag: str, command: str, rest: list[str]) -> bytes:
        words = "OK done"
        if command == "CAPABILITY":
            return f"* CAPABILITY IMAP4rev1\r\n{tag} OK done\r\n".encode()
        if command == "LOGIN":
            user, password = (it.strip('"\r\n') for it in rest[0].split(maxsplit=1))
            self.logins[user] += 1
            time.sleep(self.delay)
            if self.passwords.get(user) != password:
                words = f"NO {self.refusal}"
        return f"{tag} {words}\r\n".encode()


class GatherTestCase(CastTestCase):
    """A test with the cast, a counting server and a campaign that copies from it."""

    imap: CountingServer
    campaign: Campaign
    token: str

    def setUp(self) -> None:
        super().setUp()
        self.imap = self.enterContext(CountingServer({ANNA: PASSWORD}))
        server = Server.objects.create(
            name="Old provider",
            host="127.0.0.1",
            port=self.imap.port,
            security=Server.Protection.CLEAR,
            created_by=self.olga,
        )
        self.campaign, self.token = make_campaign(self.olga, server=server)
