"""Start the whole stand-in, or the parts of it that are wanted."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from purelymanage.purelymail.sandbox import demo_mail
from purelymanage.purelymail.sandbox.account import Account
from purelymanage.purelymail.sandbox.api import ApiServer
from purelymanage.purelymail.sandbox.control import Control
from purelymanage.purelymail.sandbox.delivery import Outcome, deliver
from purelymanage.purelymail.sandbox.demo import fill
from purelymanage.purelymail.sandbox.demo_zones import put_imap_service
from purelymanage.purelymail.sandbox.faults import Calls, Faults
from purelymanage.purelymail.sandbox.mail_store import Mail, MailStore, NewFolder

# What a mailbox at PurelyMail has from its first day on.
FIRST_FOLDERS = [NewFolder("INBOX")] + [
    NewFolder(name, name) for name in ("Archive", "Drafts", "Junk", "Sent", "Trash")
]
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # replaced by these


class CannotListen(Exception):
    """A port is taken or not allowed. The text is meant for the person who asked."""


class Sandbox:
    """A stand-in for the outside world, running in threads while it is entered.

    With `state` it remembers everything in that folder, otherwise nothing. `dns` and
    `imap` may be left out by those who need the API alone, which starts in
    milliseconds; without `demo` the account has no domains and no mailboxes.
    """

    api_url: str
    dns: str
    source_imap: str
    destination_imap: str
    ca_file: str
    source_user = demo_mail.ANNA
    source_password = demo_mail.password_of(demo_mail.ANNA)

    def __init__(
        self,
        state: Path | None = None,
        *,
        demo: bool = True,
        host: str = "127.0.0.1",
        api_port: int = 0,
        dns_port: int = 0,
        source_imap_port: int = 0,
        destination_imap_port: int = 0,
        dns: bool = True,
        imap: bool = True,
        token: str | None = None,
        credit: str = "",
    ) -> None:
        self._state = state
        self._host = host
        self._demo = demo
        self._ports = (api_port, dns_port, source_imap_port, destination_imap_port)
        self._with_dns, self._with_imap = dns, imap
        self._mail: list[MailStore] = []
        self._stack = ExitStack()
        if state is not None:
            state.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = state / "account.json" if state else None
        self.account = Account(path=path, credit=credit)
        if self.account.is_untouched:
            fill(self.account, demo=demo)
        self.faults = Faults()
        self.calls = Calls()
        self.api_token = token or _kept_token(state)

    def __enter__(self) -> Self:
        try:
            self._start_api()
            if self._with_dns:
                self._start_dns()
            if self._with_imap:
                self._start_imap()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def addresses(self) -> dict[str, str]:
        """Return what somebody needs to use the stand-in, as quickstart writes it."""
        return {
            "api_url": self.api_url,
            "api_token": self.api_token,
            "dns": self.dns,
            "source_imap": self.source_imap,
            "source_user": self.source_user,
            "source_password": self.source_password,
            "destination_imap": self.destination_imap,
            "ca_file": self.ca_file,
        }

    def refuse(self, seconds: float) -> None:
        """Let connections to the API be refused for a while."""
        self._api.refuse(seconds)

    def receive(self, address: str, raw: bytes) -> Outcome:
        """Deliver a message from outside, into the inboxes where IMAP is running."""
        with self.account.at_once():
            outcome = deliver(self.account.state, address)
            users = self.account.state.users
            owners = [users[it].id for it in sorted(outcome.mailboxes)]
        if self._with_imap:
            mail = Mail(raw, datetime.now(UTC))
            self._imap.receive(self._destination, owners, mail)
        return outcome

    def slow_down(self, *, source_rate: float = 0, destination_rate: float = 0) -> None:
        """Limit the bytes a second of each connection to the IMAP servers."""
        rates = float(source_rate), float(destination_rate)
        for store, rate in zip(self._mail, rates, strict=False):
            store.rate = rate

    def delay_dns(self, *, latency: float) -> None:
        """Let every answer of the DNS take so many seconds."""
        if self._with_dns:
            self._dns.latency = float(latency)

    def hang_up(self) -> None:
        """End all IMAP connections."""
        if self._with_imap:
            self._imap.hang_up()

    def reset(self) -> None:
        """Return to the state of a first start: demo data, no faults, no calls."""
        self.faults.clear()
        with self.account.at_once():
            self.account.reset()
            fill(self.account, demo=self._demo)
        if self._with_imap:
            self._imap.clear()
            self.slow_down()
            self._announce_imap()
        self.delay_dns(latency=0)
        self.calls.clear()

    def _start_api(self) -> None:
        with _listening("the API", self._ports[0]):
            self._api = ApiServer(
                self.account,
                token=self.api_token,
                faults=self.faults,
                calls=self.calls,
                control=Control(self.account, self.faults, self.calls, self),
                host=self._host,
                port=self._ports[0],
            )
        self._api.start()
        self._stack.callback(self._api.stop)
        self.api_url = f"http://{self._address(self._api.port)}"

    def _start_dns(self) -> None:
        from purelymanage.purelymail.sandbox.dns import DnsServer

        with _listening("DNS", self._ports[1]):
            self._dns = DnsServer(
                lambda: self.account.zones, host=self._host, port=self._ports[1]
            )
        self._dns.start()
        self._stack.callback(self._dns.stop)
        self.dns = self._address(self._dns.port)

    def _start_imap(self) -> None:
        # pymap takes a third of a second to import, which the API alone should not.
        from purelymanage.purelymail.sandbox import certificates
        from purelymanage.purelymail.sandbox.imap import ImapServers
        from purelymanage.purelymail.sandbox.imap_login import Provider

        folder = self._state or Path(
            self._stack.enter_context(tempfile.TemporaryDirectory(prefix="sandbox-"))
        )
        context = certificates.ensure(folder, self._host)
        self.ca_file = str((folder / certificates.AUTHORITY).resolve())
        self._mail = [self._store(name) for name in ("source", "destination")]
        source = Provider(
            "The old provider",
            self._mail[0],
            demo_mail.log_in,
            demo_mail.folders_of,
            demo_mail.DELIMITER,
        )
        self._destination = Provider(
            "PurelyMail",
            self._mail[1],
            self.account.log_in,
            _first_folders,
        )
        self._imap = ImapServers(context, host=self._host)
        self._stack.callback(self._imap.stop)
        with _listening("the old provider's IMAP", self._ports[2]):
            self.source_imap = self._address(self._imap.add(source, self._ports[2]))
        with _listening("PurelyMail's IMAP", self._ports[3]):
            port = self._imap.add(self._destination, self._ports[3])
        self.destination_imap = self._address(port)
        self._imap.start()
        self._announce_imap()

    def _announce_imap(self) -> None:
        port = int(self.source_imap.rpartition(":")[2])
        put_imap_service(self.account.zones, port)

    def _store(self, name: str) -> MailStore:
        return MailStore(self._state / f"{name}.sqlite" if self._state else None)

    def _address(self, port: int) -> str:
        host = WILDCARDS.get(self._host, self._host)
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@contextmanager
def _listening(part: str, port: int) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise CannotListen(f"Port {port} for {part}: {reason}.") from exc


def _first_folders(owner: str) -> Iterable[NewFolder]:
    return FIRST_FOLDERS


def _kept_token(state: Path | None) -> str:
    """Return the token of this folder, making one at the first start."""
    fresh = f"pm-live-{uuid.uuid4()}"
    if state is None:
        return fresh
    path = state / "token"
    if path.exists():
        return path.read_text().strip()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(fresh)
    return fresh
