"""One stand-in PurelyMail account: its 19 operations, its log-ins, its file."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from purelymanage.purelymail.sandbox import domains, rules, users
from purelymanage.purelymail.sandbox.fields import Fields
from purelymanage.purelymail.sandbox.state import State
from purelymanage.purelymail.sandbox.zones import Zones

Operation = Callable[[State, Fields], dict[str, Any]]

OPERATIONS: dict[str, Operation] = {
    "createUser": users.create_user,
    "deleteUser": users.delete_user,
    "listUser": users.list_user,
    "getUser": users.get_user,
    "modifyUser": users.modify_user,
    "upsertPasswordReset": users.upsert_password_reset,
    "deletePasswordReset": users.delete_password_reset,
    "listPasswordReset": users.list_password_reset,
    "createAppPassword": users.create_app_password,
    "deleteAppPassword": users.delete_app_password,
    "createRoutingRule": rules.create_routing_rule,
    "deleteRoutingRule": rules.delete_routing_rule,
    "listRoutingRules": rules.list_routing_rules,
    "getOwnershipCode": domains.get_ownership_code,
    "addDomain": domains.add_domain,
    "listDomains": domains.list_domains,
    "updateDomainSettings": domains.update_domain_settings,
    "deleteDomain": domains.delete_domain,
    "checkAccountCredit": domains.check_account_credit,
}

DEFAULT_CREDIT = "18.4207319462850173649205518273640918273645"
# The same for every stand-in, so that the demo zones are the same as well.
OWNERSHIP_CODE = "purelymail_ownership_proof=" + (
    hashlib.sha512(b"a stand-in account").hexdigest()
)


class Account:
    """The state behind a lock, written to `path` after each change where given."""

    def __init__(self, *, path: Path | None = None, credit: str = "") -> None:
        self._lock = threading.RLock()
        self._path = path
        self._credit = credit or DEFAULT_CREDIT
        self.state = self._read() or self._fresh()

    @property
    def zones(self) -> Zones:
        return self.state.zones

    @property
    def is_untouched(self) -> bool:
        """Whether this is a first start; later even an empty account is kept."""
        return self.zones.is_empty

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Let nobody see what happens in between."""
        with self._lock:
            yield

    def call(self, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        """Carry out one operation, or raise `Refused` and change nothing."""
        with self._lock:
            result = OPERATIONS[operation](self.state, Fields(body))
            if not operation.startswith(("list", "get", "check")):
                self.save()
            return result

    def log_in(self, address: str, password: str) -> str | None:
        """Return the id of the user whose password or app password this is.

        With two-factor authentication only app passwords open a mailbox.
        """
        with self._lock:
            user = self.state.users.get(address.lower())
            if user is None:
                return None
            accepted = [it.secret for it in user.app_passwords]
            if not user.two_factor:
                accepted.append(user.password)
            if any(secret.matches(password) for secret in accepted):
                return user.id
            return None

    def set_credit(self, credit: str) -> None:
        with self._lock:
            fresh = self._fresh()
            self.state.credit = Decimal(credit)
            self.state.credit_at = fresh.credit_at
            self.save()

    def reset(self) -> None:
        """Return to an account without anything in it."""
        with self._lock:
            self.state = self._fresh()
            self.save()

    def save(self) -> None:
        if self._path is None:
            return
        with self._lock:
            data = json.dumps(self.state.to_json())
            part = self._path.with_suffix(".part")
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(data)
            part.replace(self._path)

    def _fresh(self) -> State:
        return State(OWNERSHIP_CODE, Zones(), Decimal(self._credit))

    def _read(self) -> State | None:
        if self._path is None or not self._path.exists():
            return None
        return State.from_json(json.loads(self._path.read_text()))
