"""What the list of rules, and the page of one, show of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse

from purelymanage.accounts.models import User
from purelymanage.routing.model import rules as model
from purelymanage.routing.model.accounts import Account, Place
from purelymanage.routing.model.checks import names
from purelymanage.routing.model.findings import Check, Finding
from purelymanage.routing.model.warnings import warnings
from purelymanage.routing.models import Rule
from purelymanage.routing.reading import part_for
from purelymanage.routing.verdicts import TONES

# Each warning in the few words that a row has for it.
SHORT = {
    Check.NO_TARGETS: "Goes to nobody",
    Check.BAD_TARGET: "Target is no address",
    Check.CIRCLE: "Goes in a circle",
    Check.NEVER_APPLIES: "Never applies",
    Check.MISSING_TARGET: "Target is not there",
    Check.CUSTOM: "Custom",
}
FILTERS = {
    Check.SILENCES_DOMAIN: "Any address, with mailboxes",
    Check.TAKES_MAIL: "Takes mail from a mailbox",
    **SHORT,
}
MENDING = {
    Check.SILENCES_DOMAIN: "Change the rule",
    Check.MISSING_TARGET: "Choose another target",
    Check.CIRCLE: "Change the targets",
}


@dataclass(frozen=True, slots=True)
class Target:
    """Where a rule sends mail, and what is there.

    `mark` is mailbox, alias (another rule takes it on), outside, veiled or missing.
    """

    address: str
    mark: str
    url: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    rule: Rule
    targets: Sequence[Target]
    findings: Sequence[Finding]

    @property
    def said(self) -> list[tuple[str, str]]:
        """The warnings in few words, each with its tone."""
        return list(dict.fromkeys((it.tone, short(it)) for it in self.findings))

    @property
    def worst(self) -> Finding:
        return min(self.findings, key=lambda it: TONES.get(it.tone, 2))

    @property
    def mending(self) -> str:
        """What the button beside the worst warning says."""
        if keeps_copy(self.rule, self.worst):
            return "Keep a copy"
        return MENDING.get(self.worst.check, "Change the rule")

    @property
    def mending_url(self) -> str:
        query = "?keep=1" if keeps_copy(self.rule, self.worst) else ""
        return reverse("routing:edit-rule", args=[self.rule.remote_id]) + query


def row_of(account: Account, rule: Rule, findings: Sequence[Finding] = ()) -> Row:
    number = rule.remote_id
    return Row(rule, [_mark(account, number, it) for it in rule.targets], findings)


def rows_of(rules: Sequence[Rule], user: User) -> list[Row]:
    """Return what a list shows of these rules, whatever else there is."""
    account = part_for(
        user,
        domains={it.domain for it in rules},
        addresses=(target for it in rules for target in it.targets),
    )
    mine = {it.remote_id: model.Rule.of(it, id=it.remote_id) for it in rules}
    found = warnings(account, list(mine.values()))
    return [row_of(account, it, found.get(mine[it.remote_id], ())) for it in rules]


def marked(account: Account, rule: model.Rule) -> list[Target]:
    """Say what is behind each target of a rule of this account."""
    return [_mark(account, rule.id, it) for it in rule.targets]


def _mark(account: Account, number: int, written: str) -> Target:
    """Say what is behind a target of the rule with this id."""
    sight = account.look_at(written)
    if sight.place == Place.OUTSIDE:
        return Target(written, "outside", note="outside this account")
    if sight.place == Place.VEILED:
        return Target(written, "veiled", note="at a domain you may not see")
    stays = sight.rule is not None and (
        sight.rule.id == number or names(account, sight.rule, sight.read_as)
    )
    if sight.is_mailbox and (sight.rule is None or stays):
        url = reverse("mailboxes:mailbox-detail", args=[sight.read_as])
        return Target(written, "mailbox", url)
    if sight.rule is not None and not stays:
        url = reverse("routing:rule-detail", args=[sight.rule.id])
        return Target(written, "alias", url, "another rule sends it on")
    return Target(written, "missing", note="no mailbox, and no rule sends it on")


def short(finding: Finding) -> str:
    if finding.check not in (Check.TAKES_MAIL, Check.SILENCES_DOMAIN):
        return SHORT.get(finding.check, finding.title)
    if len(finding.addresses) > 1:
        return f"Takes mail from {len(finding.addresses)} mailboxes"
    local = finding.addresses[0].rpartition("@")[0]
    return f"Takes mail from {local}@"


def keeps_copy(rule: Rule, finding: Finding) -> bool:
    """Whether the mailbox that the rule is about could be among its targets."""
    return finding.check == Check.TAKES_MAIL and rule.kind == Rule.Kind.EXACT
