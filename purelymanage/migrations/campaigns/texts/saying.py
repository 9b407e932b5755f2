from __future__ import annotations

import math
from datetime import timedelta

from django.http import HttpRequest

from purelymanage.migrations.campaigns import texts
from purelymanage.migrations.campaigns.texts.form import Words
from purelymanage.migrations.campaigns.texts.words import BY_LANGUAGE, words_of
from purelymanage.migrations.models import Campaign

LONGEST_IN_HOURS = 12  # beyond that it is tomorrow


class Saying:
    """What the pages for owners say, with the facts of one campaign in it."""

    def __init__(self, words: Words, **facts: str) -> None:
        self.words = words
        self.facts = facts

    def __getitem__(self, name: str) -> str:
        text = getattr(self.words, name, None)
        if not isinstance(text, str):
            raise KeyError(name)
        return text.format_map(self.facts)


def saying_of(campaign: Campaign, **facts: str) -> Saying:
    day = texts.of(campaign.language).day
    return Saying(
        words_of(campaign.language),
        contact=campaign.contact,
        host=campaign.server.host,
        ends=day(campaign.ends_at),
        erased=day(campaign.erased_at),
        **facts,
    )


def in_words(words: Words, wait: timedelta) -> str:
    """Say roughly how long to wait, never too short."""
    minutes = max(2, math.ceil(wait / timedelta(minutes=1)))
    if minutes < 60:
        return words.in_minutes.format(number=minutes)
    hours = math.ceil(minutes / 60)
    if hours == 1:
        return words.in_an_hour
    if hours <= LONGEST_IN_HOURS:
        return words.in_hours.format(number=hours)
    return words.tomorrow


def preferred_words(request: HttpRequest) -> Words:
    """Choose a language where no campaign says it: the first one that we know."""
    for wish in request.headers.get("Accept-Language", "").split(","):
        language = wish.strip()[:2].lower()
        if language in BY_LANGUAGE:
            return BY_LANGUAGE[language]
    return BY_LANGUAGE[Campaign.Language.ENGLISH]
