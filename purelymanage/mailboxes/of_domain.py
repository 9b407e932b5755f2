"""The mailboxes of a domain, for its page."""

from __future__ import annotations

from urllib.parse import urlencode

from django.urls import reverse

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Right
from purelymanage.domains.related import Count
from purelymanage.figures import thin
from purelymanage.mailboxes.models import Mailbox

# A local part with something else in it than letters and digits.
SYMBOLIC = r"^[^@]*[^a-z0-9@]"
MOST_NAMED = 100


def mailboxes_of(name: str, user: User) -> Count | None:
    if not user.may(Right.SEE_MAILBOXES):
        return None
    mine = Mailbox.objects.visible_to(user).present().filter(domain=name)
    number = mine.count()
    return Count(
        "mailboxes",
        number,
        f"{thin(number)} mailbox{'' if number == 1 else 'es'}",
        f"{reverse('mailboxes:mailbox-list')}?{urlencode({'domain': name})}",
        "mailbox",
    )


def symbolic_mailboxes(name: str) -> list[str]:
    found = Mailbox.objects.present().filter(domain=name, address__iregex=SYMBOLIC)
    addresses = found.order_by("address").values_list("address", flat=True)
    return list(addresses[:MOST_NAMED])
