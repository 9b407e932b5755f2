from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils import timezone

from purelymanage.audit.events import EVENTS
from purelymanage.audit.kinds import kinds_for
from purelymanage.audit.models import AGENTS, By, EntryQuerySet
from purelymanage.audit.notices import choices_of
from purelymanage.audit.subjects import SUBJECTS

if TYPE_CHECKING:
    from purelymanage.audit.viewer import Person

# Days with a day before and after them, whatever the time zone.
NO_DAY = "Choose a day between 1970 and 9999."
POSSIBLE = [
    MinValueValidator(date(1970, 1, 2), NO_DAY),
    MaxValueValidator(date(9999, 12, 30), NO_DAY),
]
DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class EntryFilterForm(forms.Form):
    """What of the audit log to show. Everything that is empty lets everything through."""

    q = forms.CharField(required=False, strip=True, max_length=200)
    actor = forms.CharField(required=False, max_length=254)
    what = forms.CharField(required=False, max_length=60)
    target = forms.CharField(required=False, max_length=300)
    since = forms.DateField(
        required=False, widget=DATE, label="From", validators=POSSIBLE
    )
    until = forms.DateField(
        required=False, widget=DATE, label="To", validators=POSSIBLE
    )

    def __init__(self, *args: Any, people: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people = list(people)

    @property
    def is_narrow(self) -> bool:
        return any(self.cleaned_data.values())

    @property
    def words(self) -> str:
        return str(self.cleaned_data["q"])

    def narrow(self, entries: EntryQuerySet) -> EntryQuerySet:
        """Return what the filter lets through, the words left out."""
        asked = self.cleaned_data
        if asked["actor"]:
            entries = entries.filter(actor_name=asked["actor"])
        if asked["what"]:
            entries = entries.of_kind(asked["what"])
        if asked["target"]:
            entries = entries.filter(target=asked["target"])
        since, until = asked["since"], asked["until"]
        return entries.between(
            _begin_of(since) if since else None,
            _begin_of(until + timedelta(days=1)) if until else None,
        )

    def actors(self) -> list[tuple[str, str]]:
        """Whom one can choose: people, what is no person, and who is chosen now."""
        names = [(name, name) for name in self.people]
        names += [(code, words) for code, words in AGENTS.items()]
        chosen = self.data.get("actor", "")
        if chosen and chosen not in dict(names):
            names.insert(0, (chosen, chosen))
        return names

    def actions(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """What one can choose: all about one subject, or one event of it."""
        return [
            (
                words,
                [(subject, f"{words}: everything")]
                + [
                    (event.value, event.headline)
                    for event in EVENTS.values()
                    if event.value.startswith(f"{subject}.")
                ],
            )
            for subject, words in SUBJECTS.items()
        ]


class NotificationChoicesForm(forms.Form):
    """How a person hears of each kind of events that they may hear of."""

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        present = choices_of(person)
        for kind in kinds_for(person):
            self.fields[kind.code] = forms.ChoiceField(
                label=kind.name,
                help_text=kind.help,
                choices=By.choices,
                initial=present[kind.code],
                widget=forms.RadioSelect,
            )

    def choices(self) -> dict[str, By]:
        return {code: By(by) for code, by in self.cleaned_data.items()}


def _begin_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
