"""Telling owners how it went where their password could not be tried at once.

The form must not let strangers make the panel write to anybody: mail goes only to who
was listed or signed in under the address, or to addresses of our own domains, and at
most once a day of each kind. Of a login that somebody wrote beside an address by the
link for everybody it says nothing, as that may be anybody's; nor that a password failed
that came by this link while the owner's is right.
"""

from __future__ import annotations

from enum import StrEnum

from django.core.cache import cache

from purelymanage.audit.mail import queue_mail
from purelymanage.domains.models import Domain
from purelymanage.migrations.campaigns import limits, links, standing, texts
from purelymanage.migrations.campaigns.texts.words import BY_LANGUAGE, words_of
from purelymanage.migrations.models import Campaign, Participant, Submission

DAY = 24 * 60 * 60


class Outcome(StrEnum):
    RIGHT = "right"
    REFUSED = "refused"
    UNANSWERED = "unanswered"


def tell(submission: Submission, outcome: Outcome) -> bool:
    """Write to the owner of a mailbox. Part of settling the submission."""
    participant = submission.participant
    campaign = participant.campaign
    if campaign.closed_at is not None:
        return False  # closing ends all mail
    if submission.is_doubtful or _is_of_no_concern(submission, outcome):
        return False
    proved = outcome == Outcome.RIGHT and not submission.user
    if not proved and not _may_write_to(participant, campaign):
        return False
    who = limits.hashed(participant.address)
    if not cache.add(f"campaign-mail:{outcome}:{who}", "sent", DAY):
        return False
    words = words_of(campaign.language)
    day = texts.of(campaign.language).day
    subject, text = {
        Outcome.RIGHT: (words.mail_right_subject, words.mail_right),
        Outcome.REFUSED: (words.mail_refused_subject, words.mail_refused),
        Outcome.UNANSWERED: (words.mail_unanswered_subject, words.mail_unanswered),
    }[outcome]
    facts = {
        "address": participant.address,
        "day": day(submission.made_at),
        "until": day(campaign.ends_at),
        "contact": campaign.contact,
        "link": links.link_of(participant) or links.link_of(campaign),
    }
    parts = [words.mail_greeting, text, words.mail_questions, campaign.signed_by]
    queue_mail(
        to=participant.address,
        subject=subject.format(**facts),
        # What people wrote themselves is not formatted.
        text="\n\n".join([*(it.format(**facts) for it in parts[:3]), parts[3]]) + "\n",
    )
    return True


def subjects(address: str) -> set[str]:
    """Return what such mails to somebody may be called."""
    return {
        subject.format(address=address)
        for words in BY_LANGUAGE.values()
        for subject in (
            words.mail_right_subject,
            words.mail_refused_subject,
            words.mail_unanswered_subject,
        )
    }


def _is_of_no_concern(submission: Submission, outcome: Outcome) -> bool:
    """Whether it is as likely a guess, after which nothing is left to do."""
    if outcome == Outcome.RIGHT or submission.came_by != Submission.CameBy.SHARED:
        return False
    return standing.of(submission.participant).what == "right"


def _may_write_to(participant: Participant, campaign: Campaign) -> bool:
    if participant.is_listed:
        return True
    domain = participant.address.rpartition("@")[2]
    if domain in campaign.domains:
        return True
    return Domain.objects.present().filter(name=domain, is_shared=False).exists()
