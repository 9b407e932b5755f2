"""What PurelyMail answers, read strictly: what does not fit is `Malformed`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Self

CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")
LARGEST_ID = 2**63 - 1

Answer = Mapping[str, Any]


class Malformed(Exception):
    """An answer in a shape that nobody described."""


@dataclass(frozen=True, slots=True)
class Domain:
    name: str
    is_shared: bool
    allow_account_reset: bool
    symbolic_subaddressing: bool
    passes_mx: bool
    passes_spf: bool
    passes_dkim: bool
    passes_dmarc: bool

    @classmethod
    def from_answer(cls, answer: Any) -> Self:
        answer = mapping(answer)
        dns = mapping(answer.get("dnsSummary"))
        return cls(
            name=text(answer, "name", longest=253).lower(),
            is_shared=flag(answer, "isShared"),
            allow_account_reset=flag(answer, "allowAccountReset"),
            symbolic_subaddressing=flag(answer, "symbolicSubaddressing"),
            passes_mx=flag(dns, "passesMx"),
            passes_spf=flag(dns, "passesSpf"),
            passes_dkim=flag(dns, "passesDkim"),
            passes_dmarc=flag(dns, "passesDmarc"),
        )


@dataclass(frozen=True, slots=True)
class RecoveryMethod:
    type: str
    target: str
    description: str
    allow_mfa_reset: bool

    @classmethod
    def from_answer(cls, answer: Any) -> Self:
        answer = mapping(answer)
        return cls(
            type=text(answer, "type"),
            target=text(answer, "target"),
            description=text(answer, "description"),
            allow_mfa_reset=flag(answer, "allowMfaReset"),
        )


@dataclass(frozen=True, slots=True)
class UserDetails:
    search_indexing: bool
    reset_allowed: bool
    two_factor: bool
    spam_filtering: bool
    recovery_methods: tuple[RecoveryMethod, ...]

    @classmethod
    def from_answer(cls, answer: Answer) -> Self:
        methods = items(answer, "resetMethods")
        return cls(
            search_indexing=flag(answer, "enableSearchIndexing"),
            # Written as enablePasswordReset, read under this name.
            reset_allowed=flag(answer, "recoveryEnabled"),
            two_factor=flag(answer, "requireTwoFactorAuthentication"),
            spam_filtering=flag(answer, "enableSpamFiltering"),
            recovery_methods=tuple(map(RecoveryMethod.from_answer, methods)),
        )

    def as_columns(self) -> dict[str, Any]:
        """Return it with plain lists, for a row of the mirror."""
        columns = asdict(self)
        columns["recovery_methods"] = list(columns["recovery_methods"])
        return columns


@dataclass(frozen=True, slots=True)
class Rule:
    id: int
    domain: str
    match_user: str
    prefix: bool
    catchall: bool
    targets: tuple[str, ...]

    @classmethod
    def from_answer(cls, answer: Any) -> Self:
        answer = mapping(answer)
        number = answer.get("id")
        if type(number) is not int or not -LARGEST_ID <= number <= LARGEST_ID:
            raise Malformed("id is no 64-bit number")
        targets = items(answer, "targetAddresses")
        return cls(
            id=number,
            domain=text(answer, "domainName", longest=253).lower(),
            match_user=text(answer, "matchUser", longest=254),
            prefix=flag(answer, "prefix"),
            catchall=flag(answer, "catchall"),
            targets=tuple(checked_text(it, "a target", 254) for it in targets),
        )


def mapping(value: Any) -> Answer:
    if not isinstance(value, dict):
        raise Malformed("an object is missing")
    return value


def items(answer: Answer, name: str) -> list[Any]:
    value = answer.get(name)
    if not isinstance(value, list):
        raise Malformed(f"{name} is no list")
    return value


def flag(answer: Answer, name: str) -> bool:
    value = answer.get(name)
    if not isinstance(value, bool):
        raise Malformed(f"{name} is neither true nor false")
    return value


def text(answer: Answer, name: str, *, longest: int = 1_000) -> str:
    return checked_text(answer.get(name), name, longest)


def checked_text(value: Any, name: str, longest: int) -> str:
    if not isinstance(value, str) or len(value) > longest:
        raise Malformed(f"{name} is no text of at most {longest} characters")
    if CONTROL_CHARACTER.search(value):
        raise Malformed(f"{name} has a control character")
    return value


def address(value: Any) -> str:
    plain = checked_text(value, "an address", 254)
    local, _, domain = plain.rpartition("@")
    if not local or not domain:
        raise Malformed("an address has no @")
    return plain.lower()


def amount(answer: Answer, name: str) -> Decimal:
    """Return money, of which PurelyMail tells up to 64 digits."""
    try:
        value = Decimal(text(answer, name))
    except InvalidOperation:
        raise Malformed(f"{name} is no number") from None
    if not value.is_finite():
        raise Malformed(f"{name} is no amount")
    return value
