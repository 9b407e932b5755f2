"""Demo data of the stand-in account: the same domains, mailboxes and rules each time."""

from __future__ import annotations

import uuid
from functools import cache

from purelymanage.purelymail.sandbox import demo_zones, zones
from purelymanage.purelymail.sandbox.account import Account
from purelymanage.purelymail.sandbox.rules import ID_STEP
from purelymanage.purelymail.sandbox.state import (
    Domain,
    ResetMethod,
    Rule,
    Secret,
    State,
    User,
)

HEALTHY, BROKEN, WAITING = "example.org", "shop.example", "waiting.example"
# Not in the account: one whose ownership is proven already, one where it is not.
NEW, UNPROVEN = "new.example", "unproven.example"

# shop.example has subaddressing off, hence may have dots and dashes.
LOCAL_PARTS = {
    HEALTHY: [
        "info",
        "sales",
        "support",
        "billing",
        "jobs",
        "press",
        "anna",
        "ben",
        "clara",
        "david",
        "elif",
        "farid",
        "greta",
        "hugo",
        "ines",
        "jonas",
        "katrin",
        "lea",
        "mateo",
        "nora",
        "omar",
        "paula",
        "quentin",
        "rosa",
    ],
    BROKEN: [
        "orders",
        "returns",
        "accounts",
        "service-desk",
        "lars.holm",
        "mia.wendt",
        "noah.keller",
        "olivia.brandt",
        "piet.de.vries",
        "ruth.adeyemi",
        "sofia.marino",
        "tom.fischer",
    ],
    WAITING: ["office", "ulla", "viktor", "wanda"],
}

# domain, what is matched, prefix, catchall, targets
RULES = [
    (HEALTHY, "abuse", False, False, ["support@example.org"]),
    (HEALTHY, "postmaster", False, False, ["support@example.org", "anna@example.org"]),
    (HEALTHY, "kontakt", False, False, ["info@example.org"]),
    (HEALTHY, "office", False, False, ["info@example.org", "clara@example.org"]),
    (HEALTHY, "newsletter", True, False, ["press@example.org"]),
    (HEALTHY, "invoice", True, False, ["billing@example.org"]),
    (HEALTHY, "", True, True, ["info@example.org"]),
    (BROKEN, "hello", False, False, ["orders@shop.example", "lars.holm@shop.example"]),
    (BROKEN, "warehouse", False, False, ["dispatch@logistics.example"]),
    # Also catches the mailbox returns@, which therefore is among the targets.
    (BROKEN, "return", True, False, ["returns@shop.example", "mia.wendt@shop.example"]),
    (BROKEN, "rma", True, False, ["returns@shop.example"]),
    # The mistake the vendor warns of: the mailboxes of this domain get nothing.
    (WAITING, "", True, False, ["info@example.org"]),
]


def password_of(address: str) -> str:
    """Return the password of a mailbox of the demo account."""
    return f"purelymail-demo-{address.partition('@')[0]}"


def fill(account: Account, *, demo: bool) -> None:
    """Put the example zones into a fresh account and, with `demo`, its contents."""
    state = account.state
    presets = {
        HEALTHY: demo_zones.healthy,
        BROKEN: demo_zones.broken,
        WAITING: demo_zones.waiting,
        NEW: demo_zones.owned,
        UNPROVEN: demo_zones.bare,
    }
    demo_zones.put_surroundings(state.zones)
    for zone, records in presets.items():
        state.zones.put(zone, records(state.ownership_code))
    if demo:
        _fill_domains(state)
        _fill_users(state)
        _fill_rules(state)
    account.save()


@cache
def _secret(address: str) -> Secret:
    """Hash the password once in a process: that is nearly all the work of a reset."""
    return Secret.of(password_of(address))


def _fill_domains(state: State) -> None:
    for name in LOCAL_PARTS:
        state.domains[name] = Domain(
            allow_account_reset=name == WAITING,
            symbolic_subaddressing=name != BROKEN,
            dns_summary=zones.summary(state.zones, name),
        )


def _fill_users(state: State) -> None:
    addresses = [
        f"{local}@{domain}"
        for domain, locals_ in LOCAL_PARTS.items()
        for local in locals_
    ]
    for number, address in enumerate(addresses):
        user = User(
            id=uuid.uuid5(uuid.NAMESPACE_DNS, address).hex,
            password=_secret(address),
            search_indexing=number % 9 != 4,
            password_reset=number % 7 != 5,
            spam_filtering=number % 11 != 3,
        )
        local = address.partition("@")[0]
        if number % 3 == 0:
            mail = ResetMethod("email", f"{local}@private.example", "Private address")
            user.reset_methods.append(mail)
        if number % 6 == 3:
            phone = f"+49 30 5550{number:04}"
            user.reset_methods.append(ResetMethod("phone", phone, "Mobile"))
            user.two_factor = number % 12 == 9
        state.users[address] = user


def _fill_rules(state: State) -> None:
    for domain, match_user, prefix, catchall, targets in RULES:
        state.rules.append(
            Rule(
                state.next_rule_id, domain, prefix, match_user, list(targets), catchall
            )
        )
        state.next_rule_id += ID_STEP
