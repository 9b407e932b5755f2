"""What owners read, in their language."""

from __future__ import annotations

from purelymanage.migrations.campaigns.texts import english, german
from purelymanage.migrations.campaigns.texts.shape import Texts as Texts
from purelymanage.migrations.models import Campaign

BY_LANGUAGE: dict[str, Texts] = {
    Campaign.Language.ENGLISH: english.TEXTS,
    Campaign.Language.GERMAN: german.TEXTS,
}


def of(language: str) -> Texts:
    return BY_LANGUAGE[language]
