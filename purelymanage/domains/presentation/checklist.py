"""What a new domain needs, in the order in which no mail is lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.urls import reverse

from purelymanage.domains.dns.expected import Kind
from purelymanage.domains.dns.verdicts import State
from purelymanage.domains.models import Domain
from purelymanage.domains.presentation.records import Records
from purelymanage.domains.related import Count


@dataclass(frozen=True, slots=True)
class Step:
    title: str
    text: str
    is_done: bool
    is_next: bool = False
    url: str = ""
    action: str = ""


def steps_for(
    domain: Domain, records: Records, counts: Mapping[str, Count], *, was_added: bool
) -> list[Step]:
    """Return the way of a new domain, or nothing once it is at its end.

    New is what was added here lately, and what holds no mailbox and gets no mail yet.
    """
    mx = records.health.verdict(Kind.MX)
    gets_mail = mx is not None and mx.state is State.RIGHT
    mailboxes, copies = counts.get("mailboxes"), counts.get("copies")
    number = mailboxes.number if mailboxes else 0
    rest = [it for it in records.to_set if it.verdict.kind is not Kind.MX]
    is_known = not any(it.is_unknown for it in records.rows)
    if (gets_mail and number) or not (was_added or (not number and not gets_mail)):
        return []
    steps = [
        Step("Ownership", "Proven: the domain is in the account.", is_done=True),
        Step(
            "Records",
            _rest(len(rest), is_known=is_known),
            is_done=is_known and not rest,
            url="#records",
            action="See the records",
        ),
        Step(
            "Mailboxes",
            f"{mailboxes.words} so far."
            if mailboxes and number
            else "Adding a domain creates no address. Create one for each person.",
            is_done=number > 0,
            url=f"{reverse('mailboxes:create-mailbox')}?domain={domain.name}",
            action="New mailbox",
        ),
        Step(
            "Import",
            f"{copies.done} of {copies.words} done."
            if copies and copies.number
            else "Copy what lies at the old provider. Leave this out if there is none.",
            is_done=bool(copies and copies.number and copies.done == copies.number),
            url=reverse("migrations:create-job"),
            action="Copy a mailbox",
        ),
        Step(
            "MX",
            "Mail arrives at PurelyMail."
            if gets_mail
            else "Comes last: from then on, mail arrives here and nowhere else.",
            is_done=gets_mail,
            url="#records",
            action="See the record",
        ),
    ]
    return _with_next(steps)


def _rest(number: int, *, is_known: bool) -> str:
    if number:
        what = "record is" if number == 1 else "records are"
        return (
            f"{number} {what} to be set besides MX. They change nothing for mail yet."
        )
    if not is_known:
        return "SPF, DKIM and DMARC. They change nothing for mail yet."
    return "SPF, DKIM and DMARC are in place."


def _with_next(steps: list[Step]) -> list[Step]:
    """Mark the first one that is open as the next."""
    at = next((n for n, it in enumerate(steps) if not it.is_done), None)
    if at is not None:
        steps[at] = replace(steps[at], is_next=True)
    return steps
