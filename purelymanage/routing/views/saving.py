"""New rules, others in place of those that are there, and notes about them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
)

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.deletions.models import Kind
from purelymanage.deletions.pending import refuse_if_pending
from purelymanage.errors import Refused
from purelymanage.http import asked
from purelymanage.mailboxes.models import Mailbox
from purelymanage.routing.drafts import Draft
from purelymanage.routing.forms.rules import (
    NoteForm,
    RuleForm,
    asked_about,
    initial_of,
    split_addresses,
)
from purelymanage.routing.model.accounts import Account
from purelymanage.routing.model.findings import Check
from purelymanage.routing.models import Rewrite, Rule
from purelymanage.routing.operations import creating, editing, expiry
from purelymanage.routing.presentation import marked
from purelymanage.routing.reading import part_for

MOST_SUGGESTED = 8
GONE = "This rule is not at PurelyMail any more."
BEING_REPLACED = "This rule is being replaced just now. Look again in a minute."


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
def create_rule(request: AuthenticatedHttpRequest) -> HttpResponse:
    form = _form(request, _account(request), _asked_for(request.GET))
    draft = _draft(form)
    if draft and _wants(form, draft):
        note = form.cleaned_data["note"]
        try:
            rule = creating.create_rule(
                wanted=draft.wanted, note=note, actor=request.user
            )
        except Refused as exc:
            form.add_error(None, str(exc))
            return _show(request, "routing/create_rule.html", form, draft, refusal=exc)
        messages.success(request, f"The rule for {rule} is in force.")
        _set_day(request, rule, form)
        return redirect(rule.url)
    return _show(request, "routing/create_rule.html", form, draft)


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
def edit_rule(request: AuthenticatedHttpRequest, remote_id: int) -> HttpResponse:
    rule = _rule_or_404(remote_id, request.user)
    template = "routing/edit_rule.html"
    if closed := _why_closed(rule):
        return render(request, template, {"rule": rule, "closed": closed}, status=409)
    account = _account(request, rule)
    initial = initial_of(rule, account) | _changed(request.GET, rule)
    form = _form(request, account, initial)
    draft = _draft(form, replaced=rule)
    if draft and _wants(form, draft):
        try:
            there = editing.edit_rule(
                rule=rule, wanted=draft.wanted, actor=request.user
            )
        except Refused as exc:
            form.add_error(None, str(exc))
            return _show(request, template, form, draft, rule=rule, refusal=exc)
        messages.success(request, f"The rule for {there} is in force.")
        return redirect(there.url)
    return _show(request, template, form, draft, rule=rule)


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
def edit_note(request: AuthenticatedHttpRequest, remote_id: int) -> HttpResponse:
    rule = _rule_or_404(remote_id, request.user)
    closed = _why_closed(rule)
    form = NoteForm(
        request.POST if request.method == "POST" and not closed else None,
        initial={"note": rule.note},
    )
    if form.is_valid():
        try:
            editing.edit_note(rule=rule, **form.cleaned_data, actor=request.user)
        except Refused as exc:
            form.add_error(None, str(exc))
            rule.refresh_from_db()
        else:
            messages.success(request, "Saved.")
            return redirect(f"{rule.url}#note")
    context = {
        "form": form,
        "rule": rule,
        # Of what is there now, so that whoever saves again knows what is replaced.
        "shown": editing.note_digest(rule),
        "closed": closed,
    }
    status = 409 if closed else 422 if form.errors else 200
    return render(request, "routing/edit_note.html", context, status=status)


@require_POST
@requires(Right.MANAGE)
def preview_rule(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Say in a sentence what the form would do, while it is filled in."""
    number = request.POST.get("replaces", "")
    rules = Rule.objects.visible_to(request.user).present()
    replaced = rules.filter(remote_id=number).first() if number.isdecimal() else None
    form = _form(request, _account(request, replaced), {})
    context = _preview(form, _draft(form, replaced=replaced), replaced)
    return render(request, "routing/_rule_preview.html", context)


@require_GET
@requires(Right.MANAGE)
def suggest_targets(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Offer mailboxes whose addresses contain what was typed, best ones first."""
    words = asked(request, "q").lower()
    mine = Mailbox.objects.visible_to(request.user).present()
    found = mine.filter(address__contains=words).order_by("address") if words else mine
    begins = found.filter(address__startswith=words)[:MOST_SUGGESTED]
    addresses = [it.address for it in begins]
    if words and len(addresses) < MOST_SUGGESTED:
        others = found.exclude(address__startswith=words)
        addresses += [it.address for it in others[: MOST_SUGGESTED - len(addresses)]]
    return JsonResponse({"addresses": addresses if words else []})


def _account(request: AuthenticatedHttpRequest, rule: Rule | None = None) -> Account:
    """Read what it takes to say what the form would do, also in place of a rule."""
    sent = request.POST if request.method == "POST" else request.GET
    domains, addresses = asked_about(sent)
    if rule:
        domains.add(rule.domain)
        addresses |= {rule.pattern, *rule.targets}
    return part_for(request.user, domains=domains, addresses=addresses)


def _form(
    request: AuthenticatedHttpRequest, account: Account, initial: dict[str, Any]
) -> RuleForm:
    data = request.POST if request.method == "POST" else None
    return RuleForm(data, account=account, initial=initial)


def _draft(form: RuleForm, *, replaced: Rule | None = None) -> Draft | None:
    """Look at what was sent, or at what the form begins with, as far as it goes."""
    rule = form.filled.rule
    return Draft.of(form.account, rule, replaced=replaced) if rule else None


def _wants(form: RuleForm, draft: Draft) -> bool:
    """Tell whether it is to be saved now, whatever there was to say."""
    if not form.is_valid():
        return False
    data = form.cleaned_data
    if draft.is_accepted(accepted=data["accepted"], confirm=data["confirm"]):
        return True
    form.needs_decision = True
    if draft.confirm and data["accepted"] == draft.digest:
        form.add_error("confirm", f"Type {draft.confirm} here, nothing else.")
    return False


def _set_day(request: AuthenticatedHttpRequest, rule: Rule, form: RuleForm) -> None:
    """Let a new rule end with the day of the form, where there is one."""
    if not (day := form.cleaned_data["ends_on"]):
        return
    try:
        expiry.set_expiry(rule=rule, ends_on=day, actor=request.user)
    except Refused as exc:
        messages.error(request, f"It does not end by itself. {exc}")


def _show(
    request: AuthenticatedHttpRequest,
    template: str,
    form: RuleForm,
    draft: Draft | None,
    *,
    rule: Rule | None = None,
    refusal: Refused | None = None,
) -> HttpResponse:
    status = 422 if form.errors or form.needs_decision else 200
    if getattr(refusal, "is_outage", False):
        status = 502
    context = _preview(form, draft, rule)
    return render(request, template, context, status=status)


def _preview(
    form: RuleForm, draft: Draft | None, replaced: Rule | None
) -> dict[str, Any]:
    return {
        "form": form,
        "draft": draft,
        "rule": replaced,
        "marked": marked(draft.after, draft.rule) if draft else [],
        **(_instead(draft) if draft else {}),
    }


def _instead(draft: Draft) -> dict[str, str]:
    """Return where the rule that stands in the way can be changed, or seen."""
    for finding in draft.findings:
        if finding.check not in (Check.CLASH, Check.DUPLICATE):
            continue
        other = finding.others[0]
        name = "rule-detail" if finding.check == Check.DUPLICATE else "edit-rule"
        url = reverse(f"routing:{name}", args=[other.id])
        if finding.check == Check.DUPLICATE:
            return {"instead": url, "instead_action": "See that rule"}
        if other.catchall != draft.rule.catchall:
            return {"instead": url, "instead_action": "Change that rule"}
        query = urlencode({"add": " ".join(draft.rule.targets)})
        action = "Add these targets to that rule"
        return {"instead": f"{url}?{query}", "instead_action": action}
    return {}


def _rule_or_404(remote_id: int, user: User) -> Rule:
    rules = Rule.objects.visible_to(user)
    return get_object_or_404(rules, remote_id=remote_id)


def _why_closed(rule: Rule) -> str:
    if rule.gone_at:
        return GONE
    if Rewrite.objects.open().filter(old_id=rule.remote_id).exists():
        return BEING_REPLACED
    try:
        refuse_if_pending(Kind.RULE, str(rule.remote_id), domain=rule.domain)
    except Refused as exc:
        return str(exc)
    return ""


def _asked_for(query: QueryDict) -> dict[str, Any]:
    """Return what a link wants a new rule to begin with."""
    found = {it: query.get(it, "") for it in ("kind", "name", "domain", "note")}
    found["kind"] = found["kind"] or Rule.Kind.EXACT
    found["targets"] = "\n".join(split_addresses(query.get("targets", "")))
    return {name: value for name, value in found.items() if value}


def _changed(query: QueryDict, rule: Rule) -> dict[str, Any]:
    """Return what a link wants a rule to become."""
    found: dict[str, Any] = {"keep_copy": True} if "keep" in query else {}
    if more := split_addresses(query.get("add", "")):
        there = [it.lower() for it in rule.targets]
        found["targets"] = "\n".join(dict.fromkeys([*there, *more]))
    return found
