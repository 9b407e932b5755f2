"""Which rules of an account do something unexpected, the worst first.

To say it takes a look at every rule and every mailbox. So it is kept, together with a
digest of all that it follows from, and is made anew as soon as the digest is another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache as once
from pathlib import Path
from typing import Any

from django.contrib.postgres.aggregates import StringAgg
from django.core.cache import cache
from django.db.models import Func, QuerySet, TextField

from purelymanage.accounts.models import User
from purelymanage.domains.models import Domain
from purelymanage.mailboxes.models import Mailbox
from purelymanage.routing import model
from purelymanage.routing.model.findings import Finding
from purelymanage.routing.model.warnings import warnings
from purelymanage.routing.models import Rule
from purelymanage.routing.reading import COLUMNS, account_for

DAY = 24 * 60 * 60
TONES = {"broken": 0, "attention": 1}


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The ids of rules that have warnings, the worst first, and which ones each has."""

    found: Sequence[tuple[int, Sequence[str]]] = ()

    def __len__(self) -> int:
        return len(self.found)

    def worst(self, most: int) -> list[int]:
        return [number for number, _ in self.found[:most]]

    def of(self, checks: Collection[str]) -> list[int]:
        """Return the rules with one of these warnings, or with any if none is named."""
        return [
            number
            for number, said in self.found
            if not checks or not set(checks).isdisjoint(said)
        ]


def verdicts_for(user: User) -> Verdicts:
    """Return what is wrong within the domains that somebody may see."""
    place, digest = _place(user), _digest(user)
    kept = cache.get(place)
    if kept and kept[0] == digest:
        return Verdicts(kept[1])
    verdicts = Verdicts(_judge(user))
    # What changed while it was read belongs to neither of the two.
    if _digest(user) == digest:
        cache.set(place, (digest, verdicts.found), DAY)
    return verdicts


def keep_verdicts() -> None:
    """Look at the whole account, so that nobody has to wait for it."""
    verdicts_for(User())


def _judge(user: User) -> list[tuple[int, list[str]]]:
    found = sorted(
        warnings(account_for(user)).items(),
        key=lambda it: (_worst(it[1]), it[0].pattern, it[0].id),
    )
    return [(rule.id, [str(it.check) for it in findings]) for rule, findings in found]


def _worst(findings: Sequence[Finding]) -> int:
    return min(TONES.get(it.tone, len(TONES)) for it in findings)


def _place(user: User) -> str:
    if user.domain_scope is None:
        return "verdicts"
    scope = "\n".join(sorted(user.domain_scope))
    return f"verdicts:{hashlib.sha256(scope.encode()).hexdigest()}"


def _digest(user: User) -> str:
    """Return a sign of all that is looked at, and of how."""
    return "".join(
        (
            _code(),
            _digest_of(Rule.objects.visible_to(user).present(), "remote_id", *COLUMNS),
            _digest_of(Mailbox.objects.visible_to(user).present(), "address"),
            _digest_of(
                Domain.objects.present(), "name", "is_shared", "symbolic_subaddressing"
            ),
        )
    )


def _digest_of(rows: QuerySet[Any], name: str, *columns: str) -> str:
    row = Func(
        name,
        *columns,
        template="ROW(%(expressions)s)::text",
        output_field=TextField(),
    )
    digest = Func(
        StringAgg(row, "\n", order_by=name),
        template="encode(sha256(convert_to(%(expressions)s, 'UTF8')), 'hex')",
        output_field=TextField(),
    )
    found: str | None = rows.order_by().aggregate(digest=digest)["digest"]
    return found or "nothing"


@once
def _code() -> str:
    """Return a sign of the model, as another version of it may say something else."""
    digest = hashlib.sha256()
    for path in sorted(Path(next(iter(model.__path__))).glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
