"""Who may do what: the one table, and the two ways to ask it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from django.core.exceptions import PermissionDenied
from django.db.models import TextChoices
from django.http import HttpResponse

from purelymanage.http import HtmxHttpRequest

if TYPE_CHECKING:
    from purelymanage.accounts.models import User


class Role(TextChoices):
    OWNER = "owner", "Owner"
    ADMIN = "admin", "Administrator"
    HELPDESK = "helpdesk", "Helpdesk"
    AUDITOR = "auditor", "Auditor"


class Right(TextChoices):
    SEE_MAILBOXES = "see_mailboxes"
    SEE_DOMAINS = "see_domains"
    SEE_ROUTING = "see_routing"
    SEE_MIGRATIONS = "see_migrations"
    SEE_AUDIT = "see_audit"
    HANDLE_MAILBOXES = "handle_mailboxes"  # create, reset, recovery, app passwords
    MANAGE = "manage"  # rename, bulk, domains, routing, migrations, campaigns
    DELETE = "delete"  # request or cancel a deletion
    MANAGE_PEOPLE = "manage_people"  # administrators, all sessions, settings


SEE = {
    Right.SEE_MAILBOXES,
    Right.SEE_DOMAINS,
    Right.SEE_ROUTING,
    Right.SEE_MIGRATIONS,
}

RIGHTS: dict[Role, frozenset[Right]] = {
    Role.OWNER: frozenset(Right),
    Role.ADMIN: frozenset(Right) - {Right.MANAGE_PEOPLE},
    Role.HELPDESK: frozenset({Right.SEE_MAILBOXES, Right.HANDLE_MAILBOXES}),
    Role.AUDITOR: frozenset(SEE | {Right.SEE_AUDIT}),
}

P = ParamSpec("P")


class AuthenticatedHttpRequest(HtmxHttpRequest):
    user: User


def requires(
    right: Right,
) -> Callable[
    [Callable[Concatenate[Any, P], HttpResponse]],
    Callable[Concatenate[AuthenticatedHttpRequest, P], HttpResponse],
]:
    """Answer 403 to people whose role does not have `right`."""

    def decorate(
        view: Callable[Concatenate[Any, P], HttpResponse],
    ) -> Callable[Concatenate[AuthenticatedHttpRequest, P], HttpResponse]:
        @wraps(view)
        def checked(
            request: AuthenticatedHttpRequest, /, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponse:
            if not request.user.may(right):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return checked

    return decorate
