from __future__ import annotations

from purelymanage.migrations.campaigns.texts import form_english, form_german
from purelymanage.migrations.campaigns.texts.form import Words
from purelymanage.migrations.models import Campaign

BY_LANGUAGE: dict[str, Words] = {
    Campaign.Language.ENGLISH: form_english.WORDS,
    Campaign.Language.GERMAN: form_german.WORDS,
}


def words_of(language: str) -> Words:
    return BY_LANGUAGE[language]
