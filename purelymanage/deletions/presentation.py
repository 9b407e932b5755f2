"""What the page of deletions shows of each row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from math import pi
from uuid import UUID

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Right
from purelymanage.deletions.impact import Impact, Line
from purelymanage.deletions.models import PendingDeletion, Precaution, name_of

State = PendingDeletion.State
ROUND = 2 * pi * 7.5  # of the ring
SOON = timedelta(hours=3)
TONES = {
    State.DELETED: "good",
    State.CANCELLED: "off",
    State.REFUSED: "off",
    State.FAILED: "broken",
}


def lines_for(impact: Impact, user: User) -> list[tuple[Line, str]]:
    """Return what goes along with its names, as far as this person may know them."""
    return [(line, line.names_for(user)) for line in impact.lines]


def in_words(time: timedelta) -> str:
    hours = round(time.total_seconds() / 3600)
    return f"{hours} hour{'' if hours == 1 else 's'}"


@dataclass(frozen=True)
class Row:
    """A deletion as this person sees it."""

    deletion: PendingDeletion
    viewer: User

    @property
    def goes(self) -> str:
        return self.deletion.foreseen.summary or "nothing else"

    @property
    def may_change(self) -> bool:
        return self.viewer.may(Right.DELETE)

    @property
    def may_decide(self) -> bool:
        return self.may_change and self.deletion.requested_by_id != self.viewer.pk

    @property
    def may_create_again(self) -> bool:
        return (
            self.deletion.restore is not None
            and self.deletion.state == State.DELETED
            and self.deletion.restored_at is None
            and self.viewer.may(Right.MANAGE)
        )

    @property
    def left(self) -> str:
        """How long it still waits, in hours and minutes."""
        minutes = int(self.deletion.left.total_seconds() // 60)
        if self.deletion.state == State.DELETING:
            return "being deleted"
        if minutes < 1:
            return "any minute"
        hours, minutes = divmod(minutes, 60)
        return f"{hours} h {minutes} min" if hours else f"{minutes} min"

    @property
    def ring(self) -> str:
        """The part of the ring that is left, as SVG wants its dashes."""
        deletion = self.deletion
        if deletion.delete_after is None or deletion.waits_since is None:
            return f"0 {ROUND:.2f}"
        whole = deletion.delete_after - deletion.waits_since
        part = deletion.left / whole if whole else 0
        return f"{min(max(part, 0), 0.997) * ROUND:.2f} {ROUND:.2f}"

    @property
    def is_in_work(self) -> bool:
        """Whether something about it changes within seconds."""
        precautions = self.deletion.precautions.all()
        return self.deletion.state == State.DELETING or any(
            it.is_in_work for it in precautions
        )

    @property
    def tone(self) -> str:
        return "attention" if self.deletion.left < SOON else "running"

    @property
    def outcome_tone(self) -> str:
        return TONES[State(self.deletion.state)]

    @property
    def by(self) -> str:
        return str(self.deletion.settled_by or self.deletion.requested_by)

    @property
    def note(self) -> str:
        """Why it stopped; what joined may lie in domains that are not this person's."""
        if self.viewer.domain_scope is None:
            return self.deletion.note.rstrip(".")
        return "Something joined since it was asked for"

    @property
    def precautions(self) -> list[str]:
        return [_words(it) for it in self.deletion.precautions.all()]


@dataclass(frozen=True)
class Batch:
    """Deletions that one person asked for together and another decides on."""

    rows: list[Row]

    @property
    def first(self) -> Row:
        return self.rows[0]

    @property
    def name(self) -> str:
        return name_of([row.deletion for row in self.rows])

    @property
    def goes(self) -> str:
        if len(self.rows) == 1:
            return f"Goes with it: {self.first.goes}."
        return f"{', '.join(row.deletion.label for row in self.rows)}."


def together(rows: list[Row]) -> list[Batch]:
    batches: dict[UUID, list[Row]] = {}
    for row in rows:
        batches.setdefault(row.deletion.batch, []).append(row)
    return [Batch(rows) for rows in batches.values()]


def _words(precaution: Precaution) -> str:
    is_lock = precaution.kind == Precaution.Kind.LOCK
    match precaution.state:
        case Precaution.State.ASKED:
            doing = (
                "being locked" if is_lock else f"being routed to {precaution.target}"
            )
            return f"{doing} ({precaution.note})" if precaution.note else doing
        case Precaution.State.TAKEN:
            return "locked" if is_lock else f"mail goes to {precaution.target}"
        case Precaution.State.UNDOING:
            return "the rule for its mail is being removed"
        case Precaution.State.UNDONE:
            return (
                "" if is_lock else f"mail does not go to {precaution.target} any more"
            )
        case Precaution.State.KEPT:
            return f"Locked. {precaution.note}"
    what = "could not be locked" if is_lock else "its mail could not be routed"
    return f"{what}: {precaution.note}"
