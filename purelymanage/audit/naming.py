from __future__ import annotations

from django.db.models import TextChoices


class AnyEvent(TextChoices):
    """Something worth remembering: the code we store, and how it reads to a person.

    The sentence follows the name of whoever did it.
    """

    @property
    def headline(self) -> str:
        """Name the event without anything that it happened to."""
        words = self.value.partition(".")[2].replace("_", " ")
        return words.capitalize()
