from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.audit.history import history_of
from purelymanage.deletions.models import Kind, PendingDeletion
from purelymanage.http import asked, page_or_partial
from purelymanage.long_selects import LongSelect
from purelymanage.routing.filters import ANY_WARNING, RuleFilter
from purelymanage.routing.lineage import former_names, successor
from purelymanage.routing.model import rules as model
from purelymanage.routing.model.accounts import Account
from purelymanage.routing.model.checks import check_rule
from purelymanage.routing.model.warnings import warnings
from purelymanage.routing.models import Rewrite, Rule, RuleCreation
from purelymanage.routing.models.rules import RuleQuerySet
from purelymanage.routing.presentation import FILTERS, row_of, rows_of
from purelymanage.routing.reading import about, part_for
from purelymanage.routing.verdicts import verdicts_for

PER_PAGE = 50
MOST_WARNINGS = 5


@require_safe
@requires(Right.SEE_ROUTING)
def rule_list(request: AuthenticatedHttpRequest) -> HttpResponse:
    user, chosen = request.user, RuleFilter.read(request.GET)
    verdicts = verdicts_for(user)
    mine = Rule.objects.visible_to(user).present()
    narrowed = chosen.narrow(
        mine, about=about(chosen.address, user), warned=verdicts.of(chosen.checks)
    )
    narrowed = narrowed.strongest_first()
    rules = Paginator(narrowed, PER_PAGE).get_page(asked(request, "page"))
    # Only of these: what is looked up of each would be of all before them as well.
    first = (rules.number - 1) * PER_PAGE
    some = narrowed[first : first + PER_PAGE]
    shown = Rule.objects.filter(pk__in=some.values("pk"))
    shown = shown.with_deletion().with_expiry().with_rewrite()
    rules.object_list = list(shown.select_related("made_by").strongest_first())
    worst: list[Rule] = []
    if not chosen and rules.number == 1:
        worst = _in_order(mine.with_deletion(), verdicts.worst(MOST_WARNINGS))
    rows = rows_of([*rules, *worst], user)
    domains = mine.order_by("domain").values_list("domain", flat=True).distinct()
    choices = [("", "All domains"), *((name, name) for name in domains)]
    context = {
        "page": rules,
        "rows": rows[: len(rules)],
        # One that is mended just now has nothing wrong any more.
        "worst": [row for row in rows[len(rules) :] if row.findings],
        "warned_count": len(verdicts),
        "filter": chosen,
        "domain_choice": LongSelect(choices=choices).render("domain", chosen.domain),
        "domain_count": len(choices) - 1,
        "kinds": Rule.Kind.choices,
        "checks": [(ANY_WARNING, "Any warning"), *FILTERS.items()],
        "under_way": _under_way(user),
        "may_manage": user.may(Right.MANAGE),
        "may_delete": user.may(Right.DELETE),
    }
    return page_or_partial(request, "routing/rule_list.html", context)


@require_safe
@requires(Right.SEE_ROUTING)
def rule_detail(request: AuthenticatedHttpRequest, remote_id: int) -> HttpResponse:
    rules = Rule.objects.visible_to(request.user).with_deletion().with_expiry()
    rules = rules.with_rewrite().select_related("made_by")
    rule = rules.filter(remote_id=remote_id).first()
    if rule is None or rule.gone_at:
        # Whoever has the address of a rule that was changed means the new one.
        later = successor(remote_id)
        if later is not None and request.user.covers(later.domain):
            return redirect(later.url, permanent=False)
    rule = rule or get_object_or_404(rules, remote_id=remote_id)
    user = request.user
    account = part_for(user, domains=[rule.domain], addresses=rule.targets)
    # The second is annotated, and unknown to the checker of types.
    is_open = not rule.gone_at and not vars(rule)["deletion_state"]
    context = {
        "row": row_of(account, rule, _findings(account, rule)),
        "rule": rule,
        "example": _example(rule),
        "history": history_of(rule.pattern, user, former=former_names(rule)),
        "deletion": _last_deletion(rule) if rule.gone_at else None,
        "may_manage": is_open and user.may(Right.MANAGE),
        "may_create": user.may(Right.MANAGE),
        "again": _again(rule),
        "may_delete": is_open and user.may(Right.DELETE),
    }
    return render(request, "routing/rule_detail.html", context)


def _in_order(rules: RuleQuerySet, numbers: list[int]) -> list[Rule]:
    found = {it.remote_id: it for it in rules.filter(remote_id__in=numbers)}
    return [found[it] for it in numbers if it in found]


def _under_way(user: User) -> list[str]:
    """Name the rules of which nobody knows yet what becomes of them."""
    rewrites = Rewrite.objects.open().order_by("requested_at")
    asked_for = RuleCreation.objects.asked().order_by("requested_at")
    return [it.pattern for it in (*rewrites, *asked_for) if user.covers(it.domain)]


def _findings(account: Account, rule: Rule) -> list[Any]:
    """Return what is wrong with a rule, and then what is good to know of it."""
    if rule.gone_at:
        return []
    mine = model.Rule.of(rule, id=rule.remote_id)
    good_to_know = [
        it for it in check_rule(account, mine, replaced=mine) if it.tone == "waiting"
    ]
    return [*warnings(account, [mine]).get(mine, []), *good_to_know]


def _example(rule: Rule) -> str:
    """Return an address to follow that the rule is about."""
    if rule.match_user and not rule.prefix:
        return rule.pattern
    return f"{rule.match_user or 'somebody'}@{rule.domain}"


def _again(rule: Rule) -> str:
    """Return what a new rule begins with that is to do the same."""
    fields = {"kind": rule.kind, "name": rule.match_user, "domain": rule.domain}
    more = {"targets": " ".join(rule.targets), "note": rule.note}
    return urlencode({name: it for name, it in (fields | more).items() if it})


def _last_deletion(rule: Rule) -> PendingDeletion | None:
    """Return the deletion that a rule went by, as long as it can be made again."""
    done = PendingDeletion.objects.filter(
        kind=Kind.RULE,
        key=str(rule.remote_id),
        state=PendingDeletion.State.DELETED,
        restored_at=None,
    )
    return done.order_by("-settled_at").first()
