"""A password on the page that shows it, kept so that it may become a link instead.

The page holds it sealed, for whoever has just set it and for this mailbox alone: so
nobody can have a link made of something that is not the password.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from django.utils import timezone

from purelymanage import crypto
from purelymanage.accounts.models import User
from purelymanage.deletions.models import Kind
from purelymanage.deletions.pending import refuse_if_pending
from purelymanage.errors import Refused
from purelymanage.mailboxes.models import Change, HandOver, Mailbox
from purelymanage.mailboxes.operations import hand_overs
from purelymanage.mailboxes.operations.hand_overs import Link

VALID = timedelta(hours=1)
TOO_OLD = "This page is too old to make a link of its password. Set a new password."
NOT_THE_LAST = "The password was changed after this page was shown. Set a new one."


def offer_link(*, mailbox: Mailbox, password: str, actor: User) -> str:
    """Return what `accept_offer` takes to make a link to this password."""
    plain = json.dumps({"password": password, "at": timezone.now().isoformat()})
    return crypto.seal(plain, bound_to=_place(mailbox, actor))


def accept_offer(*, mailbox: Mailbox, offer: str, actor: User) -> Link:
    """Make the link that was offered, or return it where it was made already."""
    try:
        said = json.loads(crypto.unseal(offer, bound_to=_place(mailbox, actor)))
    except crypto.Unreadable as exc:
        raise Refused(TOO_OLD) from exc
    password, at = said["password"], datetime.fromisoformat(said["at"])
    if timezone.now() - at > VALID:
        raise Refused(TOO_OLD)
    refuse_if_pending(Kind.MAILBOX, mailbox.address)
    later = Change.objects.filter(mailbox=mailbox, requested_at__gt=at)
    if (
        mailbox.suspended_at
        or later.filter(kind=Change.Kind.PASSWORD)
        .exclude(state=Change.State.FAILED)
        .exists()
    ):
        raise Refused(NOT_THE_LAST)
    for made in mailbox.hand_overs.open().filter(what=HandOver.What.PASSWORD):
        if crypto.unseal(made.secret, bound_to=made.secret_place) == password:
            return Link(made, hand_overs.link_of(made))
    return hand_overs.make_hand_over(mailbox=mailbox, password=password, actor=actor)


def _place(mailbox: Mailbox, actor: User) -> str:
    return f"mailboxes.offer:{mailbox.pk}:{actor.pk}"
