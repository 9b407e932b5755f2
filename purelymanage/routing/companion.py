"""What rules do when they, or their domain, are deleted or kept after all."""

from __future__ import annotations

from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.audit.log import Actor
from purelymanage.deletions.impact import Account, Line
from purelymanage.deletions.models import Kind
from purelymanage.deletions.registry import Companion
from purelymanage.errors import Refused
from purelymanage.routing import aftermath
from purelymanage.routing.deletions import HANDLER
from purelymanage.routing.models import Expiry, Rewrite, Rule
from purelymanage.routing.operations import expiry


def _lines(kind: str, keys: list[str], account: Account) -> dict[str, list[Line]]:
    if kind != Kind.MAILBOX or not keys:
        return {}
    return aftermath.of_mailboxes(HANDLER.around(account, keys), keys)


def _forget(kind: str, key: str) -> None:
    if kind == Kind.DOMAIN:
        Rule.objects.present().filter(domain=key).update(gone_at=timezone.now())
        Expiry.objects.filter(domain=key).delete()
    elif kind == Kind.RULE:
        Expiry.objects.of(int(key)).delete()


def _freeze(kind: str, keys: list[str], actor: Actor) -> None:
    if kind == Kind.RULE and isinstance(actor, User):  # it is asked for just now
        _refuse_replaced(keys)
    expiry.link(kind, keys, actor)


def _refuse_replaced(keys: list[str]) -> None:
    """A rule that is being replaced is about to have another id."""
    numbers = list(map(int, keys))
    # As a replacement does first: of both at once, one sees the other.
    list(Rule.objects.select_for_update().filter(remote_id__in=numbers).order_by("pk"))
    rewrite = Rewrite.objects.open().filter(old_id__in=numbers).first()
    if rewrite is not None:
        raise Refused(
            f"The rule for {rewrite.pattern} is being replaced just now. Wait a moment."
        )


COMPANION = Companion(lines=_lines, forget=_forget, freeze=_freeze, keep=expiry.keep)
