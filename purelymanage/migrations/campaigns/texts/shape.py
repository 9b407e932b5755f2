from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone


def paragraphs(*texts: str) -> str:
    """Return a text whose lines whoever reads it breaks as they like."""
    return "\n\n".join(texts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    language: str
    day_pattern: str
    months: tuple[str, ...]

    # What a campaign begins with; people may write something else.
    purpose: str
    retention: str
    invitation_subject: str
    invitation_text: str
    reminder_subject: str
    reminder_text: str

    def day(self, at: datetime) -> str:
        """Write a day as one does in this language, such as 28 November 2026."""
        day = timezone.localtime(at)
        return self.day_pattern.format(
            day=day.day, month=self.months[day.month - 1], year=day.year
        )
