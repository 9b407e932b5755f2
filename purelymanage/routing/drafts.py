"""A rule that is about to be saved, and what has to be said before."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from purelymanage.routing.model.accounts import Account
from purelymanage.routing.model.checks import check_rule
from purelymanage.routing.model.findings import Check, Finding
from purelymanage.routing.model.rules import Rule
from purelymanage.routing.model.words import matched
from purelymanage.routing.models import Rule as Row


@dataclass(frozen=True, slots=True)
class Draft:
    rule: Rule
    findings: Sequence[Finding]
    after: Account

    @classmethod
    def of(cls, account: Account, rule: Rule, *, replaced: Row | None = None) -> Draft:
        """Look at a rule; `replaced` is the one in whose place it comes."""
        old = Rule.of(replaced, id=replaced.remote_id) if replaced else None
        # While nobody is named yet, there is nothing to say of it.
        findings = check_rule(account, rule, replaced=old) if rule.targets else []
        if old and old.deed == rule.deed:
            # Nothing would change, and what is there now has been said elsewhere.
            findings = [it for it in findings if it.check != Check.DUPLICATE]
        return cls(rule, findings, account.exchanged(old, rule))

    @property
    def wanted(self) -> dict[str, Any]:
        """What it takes to make the rule."""
        fields = asdict(self.rule)
        del fields["id"]
        return fields | {"targets": list(self.rule.targets)}

    @property
    def matched(self) -> str:
        return f"Mail to {matched(self.rule)}"

    @property
    def is_blocked(self) -> bool:
        return any(it.blocks for it in self.findings)

    @property
    def warnings(self) -> list[Finding]:
        """What somebody has to accept before it is saved."""
        return [it for it in self.findings if not it.blocks and it.tone != "waiting"]

    @property
    def confirm(self) -> str:
        """What has to be typed before it is saved, empty for most rules."""
        return next((it.confirm for it in self.findings if it.confirm), "")

    @property
    def digest(self) -> str:
        """A sign of the rule and its warnings, by which a form knows what was shown."""
        said = [f"{it.check} {it.title}" for it in self.warnings]
        text = "\n".join([repr(self.rule.deed[:2]), *sorted(self.rule.targets), *said])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def is_accepted(self, *, accepted: str, confirm: str) -> bool:
        """Tell whether somebody has seen all of this and wants it all the same."""
        if self.is_blocked:
            return False
        if self.confirm and confirm.strip().lower() != self.confirm:
            return False
        return not self.warnings or accepted == self.digest
