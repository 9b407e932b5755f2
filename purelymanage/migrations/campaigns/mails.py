"""Invitations and reminders: what may stand in them, and what becomes of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from purelymanage.migrations.campaigns import links, texts
from purelymanage.migrations.models import Campaign, Participant

PLACEHOLDERS = ("name", "address", "link", "until", "contact", "signed_by")
NOBODYS = "a-link-of-their-own"
BRACED = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Mail:
    subject: str
    text: str


def object_to(text: str, *, needs_link: bool = False) -> str:
    """Return what is wrong with a text, empty if nothing is."""
    for name in BRACED.findall(text):
        if name not in PLACEHOLDERS:
            known = ", ".join(f"{{{it}}}" for it in PLACEHOLDERS)
            return f"There is no {{{name}}}. What may stand in braces is {known}."
    if needs_link and "{link}" not in text:
        return "The mail needs {link}, or nobody finds the page."
    return ""


def compose(campaign: Campaign, person: Participant, kind: str, *, link: str) -> Mail:
    """Return the mail that somebody gets."""
    values = {
        "name": person.name or person.address,
        "address": person.address,
        "link": link,
        "until": texts.of(campaign.language).day(campaign.ends_at),
        "contact": campaign.contact,
        "signed_by": campaign.signed_by,
    }
    if kind == Participant.Mail.REMINDER:
        subject, text = campaign.reminder_subject, campaign.reminder_text
    else:
        subject, text = campaign.invitation_subject, campaign.invitation_text
    return Mail(_fill(subject, values), _fill(text, values))


def preview(campaign: Campaign, kind: str, person: Participant | None) -> Mail:
    """Return what somebody would get; nobody's link is shown for that."""
    somebody = person or Participant(address="anna@old-provider.example", name="Anna")
    return compose(campaign, somebody, kind, link=links.url_of(NOBODYS))


def _fill(text: str, values: dict[str, str]) -> str:
    """Put values in; what they hold themselves is left as it is."""
    return BRACED.sub(lambda found: values.get(found[1], found[0]), text)
