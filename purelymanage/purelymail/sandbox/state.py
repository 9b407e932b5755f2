"""What one stand-in account holds. Plain data; the rules are in the modules beside."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import asdict, dataclass, field
from decimal import Decimal, localcontext
from typing import Any

from purelymanage.purelymail.sandbox.zones import Zones

# Known nowhere outside: a stand-in need not slow anybody down.
ITERATIONS = 1_000
# Ids beyond what a float holds exactly, so that a client which forgets int64 is found.
FIRST_RULE_ID = 2**53 + 4_711
DOLLARS_A_SECOND = Decimal("0.0000000791350214871386522134871629534687")

SHARED_DOMAINS = (
    "purelymail.com",
    "cheapermail.com",
    "placeq.com",
    "rethinkmail.com",
    "worldofmail.com",
)


@dataclass(slots=True)
class Secret:
    """A password, kept as a hash only."""

    salt: str
    digest: str

    @classmethod
    def of(cls, password: str) -> Secret:
        salt = secrets.token_hex(8)
        return cls(salt, _digest(salt, password))

    def matches(self, password: str) -> bool:
        return hmac.compare_digest(self.digest, _digest(self.salt, password))


def _digest(salt: str, password: str) -> str:
    raw = password.encode("utf-8", "surrogatepass")
    return hashlib.pbkdf2_hmac("sha256", raw, salt.encode(), ITERATIONS).hex()


@dataclass(slots=True)
class ResetMethod:
    type: str
    target: str
    description: str = ""
    allow_mfa_reset: bool = True

    def as_answer(self) -> dict[str, Any]:
        return {
            "type": self.type,
            "target": self.target,
            "description": self.description,
            "allowMfaReset": self.allow_mfa_reset,
        }


@dataclass(slots=True)
class AppPassword:
    name: str
    secret: Secret


@dataclass(slots=True)
class User:
    """A mailbox. `id` survives a rename, so the stored mail hangs on it."""

    id: str
    password: Secret
    search_indexing: bool = True
    password_reset: bool = True
    two_factor: bool = False
    spam_filtering: bool = True
    reset_methods: list[ResetMethod] = field(default_factory=list)
    app_passwords: list[AppPassword] = field(default_factory=list)


@dataclass(slots=True)
class Domain:
    """A domain of the account with the stored result of the last DNS check."""

    allow_account_reset: bool = True
    symbolic_subaddressing: bool = True
    dns_summary: dict[str, bool] = field(default_factory=dict)


@dataclass(slots=True)
class Rule:
    id: int
    domain: str
    prefix: bool
    match_user: str
    targets: list[str]
    catchall: bool


@dataclass(slots=True)
class State:
    """Everything in the account. `zones` is the DNS the account looks at."""

    ownership_code: str
    zones: Zones
    credit: Decimal
    credit_at: float = field(default_factory=time.time)
    domains: dict[str, Domain] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)
    next_rule_id: int = FIRST_RULE_ID

    def credit_now(self) -> Decimal:
        """Return what is left; storage is charged by the second."""
        with localcontext() as context:
            context.prec = 64
            seconds = Decimal(repr(time.time() - self.credit_at))
            return self.credit - DOLLARS_A_SECOND * seconds

    def to_json(self) -> dict[str, Any]:
        return {
            "ownership_code": self.ownership_code,
            "zones": self.zones.to_json(),
            "credit": str(self.credit),
            "credit_at": self.credit_at,
            "domains": {name: asdict(it) for name, it in self.domains.items()},
            "users": {address: asdict(it) for address, it in self.users.items()},
            "rules": [asdict(rule) for rule in self.rules],
            "next_rule_id": self.next_rule_id,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> State:
        return cls(
            ownership_code=data["ownership_code"],
            zones=Zones.from_json(data["zones"]),
            credit=Decimal(data["credit"]),
            credit_at=data["credit_at"],
            domains={name: Domain(**it) for name, it in data["domains"].items()},
            users={address: _user(it) for address, it in data["users"].items()},
            rules=[Rule(**rule) for rule in data["rules"]],
            next_rule_id=data["next_rule_id"],
        )


def _user(data: dict[str, Any]) -> User:
    return User(
        **data
        | {
            "password": Secret(**data["password"]),
            "reset_methods": [ResetMethod(**it) for it in data["reset_methods"]],
            "app_passwords": [
                AppPassword(it["name"], Secret(**it["secret"]))
                for it in data["app_passwords"]
            ],
        }
    )
