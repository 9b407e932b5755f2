"""Start the whole stand-in, or the parts of it that are wanted."""

from __future__ import annotations

import secrets
import uuid
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from purelymanage.purelymail.sandbox.account import Account
from purelymanage.purelymail.sandbox.api import ApiServer
from purelymanage.purelymail.sandbox.control import Control
from purelymanage.purelymail.sandbox.demo import fill
from purelymanage.purelymail.sandbox.dns import DnsServer
from purelymanage.purelymail.sandbox.faults import Calls, Faults


class Sandbox:
    """A stand-in for the outside world, running in threads while it is entered.

    With `state` it remembers everything in that folder. `dns` and `imap` may be
    left out by those who need the API alone.
    """

    def __init__(
        self,
        state: Path | None = None,
        *,
        demo: bool = True,
        host: str = "127.0.0.1",
        api_port: int = 0,
        dns_port: int = 0,
        dns: bool = True,
        imap: bool = True,
        token: str | None = None,
        credit: str = "",
    ) -> None:
        self._host = host
        self._demo = demo
        self._stack = ExitStack()
        if state is not None:
            state.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = state / "account.json" if state else None
        self.account = Account(path=path, credit=credit)
        if self.account.is_empty:
            self._fill()
        self.faults = Faults()
        self.calls = Calls()
        self.api_token = token or f"pm-live-{uuid.UUID(bytes=secrets.token_bytes(16))}"
        self._api_port, self._dns_port = api_port, dns_port
        self._with_dns, self._with_imap = dns, imap

    def __enter__(self) -> Self:
        api = ApiServer(
            self.account,
            token=self.api_token,
            faults=self.faults,
            calls=self.calls,
            control=Control(self.account, self.faults, self.calls, self.reset),
            host=self._host,
            port=self._api_port,
        )
        self.api_url = f"http://{self._host}:{api.port}"
        api.start()
        self._stack.callback(api.stop)
        self._api = api
        if self._with_dns:
            self._start_dns()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _start_dns(self) -> None:
        dns = DnsServer(
            lambda: self.account.zones, host=self._host, port=self._dns_port
        )
        dns.start()
        self._stack.callback(dns.stop)
        self.dns = f"{self._host}:{dns.port}"

    def refuse(self, seconds: float) -> None:
        """Let connections to the API be refused for a while."""
        self._api.refuse(seconds)

    def reset(self) -> None:
        """Return to the state of a first start: demo data, no faults, no calls."""
        self.account.reset()
        self._fill()
        self.faults.clear()
        self.calls.clear()

    def _fill(self) -> None:
        fill(self.account, demo=self._demo)
