"""The control interface under `/sandbox/`, which the real service does not have.

GET, DELETE /sandbox/calls     counts by operation; forget them
GET, POST, DELETE /sandbox/faults   {"kind", "operation", "times", "seconds", …}
GET, POST, DELETE /sandbox/zones    {"zone", "records" or "preset", "after", "failure",
                               "latency", "lag"}: see zones.py
POST /sandbox/dns              {"latency": 0.03}: seconds before each answer
POST /sandbox/account          {"credit": "4.10"}
POST /sandbox/imap             {"source_rate", "destination_rate"}: bytes a second
DELETE /sandbox/imap           ends all IMAP connections
POST /sandbox/mail             {"to", "from", "subject", "text"} or {"to", "raw"}: a
                               message from outside; answers where it went
POST /sandbox/reset            back to the state of a first start
"""

from __future__ import annotations

import json
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import localtime, make_msgid
from typing import Any, Protocol

from purelymanage.purelymail.sandbox.account import Account
from purelymanage.purelymail.sandbox.delivery import Outcome
from purelymanage.purelymail.sandbox.demo_zones import PRESETS
from purelymanage.purelymail.sandbox.faults import Calls, Faults
from purelymanage.purelymail.sandbox.zones import TTL

Answer = tuple[int, dict[str, Any]]


class Servers(Protocol):
    """What can be asked of everything that runs together."""

    def reset(self) -> None: ...

    def receive(self, address: str, raw: bytes) -> Outcome: ...

    def slow_down(
        self, *, source_rate: float = 0, destination_rate: float = 0
    ) -> None: ...

    def hang_up(self) -> None: ...

    def delay_dns(self, *, latency: float) -> None: ...


class Control:
    def __init__(
        self,
        account: Account,
        faults: Faults,
        calls: Calls,
        servers: Servers,
    ) -> None:
        self._account = account
        self._faults = faults
        self._calls = calls
        self._servers = servers
        self._refusal: float = 0

    def answer(self, method: str, path: str, raw: bytes) -> Answer:
        actions: dict[tuple[str, str], Callable[[dict[str, Any]], Any]] = {
            ("GET", "/sandbox/calls"): self._count,
            ("DELETE", "/sandbox/calls"): lambda _: self._calls.clear(),
            ("GET", "/sandbox/faults"): lambda _: {"faults": self._faults.as_list()},
            ("POST", "/sandbox/faults"): self._add_fault,
            ("DELETE", "/sandbox/faults"): lambda _: self._faults.clear(),
            ("GET", "/sandbox/zones"): lambda _: self._account.zones.to_json(),
            ("POST", "/sandbox/zones"): self._put_zone,
            ("DELETE", "/sandbox/zones"): self._remove_zone,
            ("POST", "/sandbox/dns"): lambda body: self._servers.delay_dns(**body),
            ("POST", "/sandbox/account"): self._change_account,
            ("POST", "/sandbox/mail"): self._receive,
            ("POST", "/sandbox/reset"): lambda _: self._servers.reset(),
            ("POST", "/sandbox/imap"): lambda body: self._servers.slow_down(**body),
            ("DELETE", "/sandbox/imap"): lambda _: self._servers.hang_up(),
        }
        action = actions.get((method, path.rstrip("/")))
        if action is None:
            return 404, {"error": "unknown"}
        try:
            body = json.loads(raw or b"{}")
            return 200, action(body) or {}
        except (ValueError, TypeError, KeyError, ArithmeticError) as exc:
            return 400, {"error": f"{type(exc).__name__}: {exc}"}

    def take_refusal(self) -> float:
        """Return for how long the listener is to close; asked once per request."""
        seconds, self._refusal = self._refusal, 0
        return seconds

    def _count(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"total": self._calls.total, "operations": self._calls.as_dict()}

    def _add_fault(self, body: dict[str, Any]) -> None:
        if body.get("kind") == "refuse":
            self._refusal = float(body.get("seconds", 1))
            return
        self._faults.add(**body)

    def _put_zone(self, body: dict[str, Any]) -> None:
        """Replace a zone by records or by one of the examples."""
        zone = str(body["zone"])
        if "preset" in body:
            records: list[Any] = PRESETS[body["preset"]](
                self._account.state.ownership_code
            )
        else:
            records = [
                (str(name), str(kind), str(value), int(ttl[0]) if ttl else TTL)
                for name, kind, value, *ttl in body["records"]
            ]
        self._account.zones.put(
            zone,
            records,
            failure=str(body.get("failure", "")),
            **{name: float(body.get(name, 0)) for name in ("after", "latency", "lag")},
        )
        self._account.save()

    def _remove_zone(self, body: dict[str, Any]) -> None:
        self._account.zones.remove(str(body["zone"]))
        self._account.save()

    def _receive(self, body: dict[str, Any]) -> dict[str, Any]:
        to = str(body["to"])
        raw = str(body["raw"]).encode() if "raw" in body else _compose(to, body)
        return self._servers.receive(to, raw).to_json()

    def _change_account(self, body: dict[str, Any]) -> None:
        self._account.set_credit(str(body["credit"]))


def _compose(to: str, body: dict[str, Any]) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"] = str(body.get("from", "somebody@far.example"))
    message["To"] = to
    message["Subject"] = str(body.get("subject", "A message"))
    message["Date"] = localtime()
    message["Message-ID"] = make_msgid(domain="far.example")
    message.set_content(str(body.get("text", "")))
    return message.as_bytes()
