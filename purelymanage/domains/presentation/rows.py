"""Domains as rows of a list: six cells, and what they amount to in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from purelymanage.domains.dns.expected import DKIM_KINDS, Kind
from purelymanage.domains.dns.names import unicode_name
from purelymanage.domains.dns.verdicts import GRID, State
from purelymanage.domains.models import Domain, Health

# Without these, mail does not arrive or is refused.
VITAL = (Kind.MX, Kind.SPF)
LABELS = dict(
    zip(GRID, ("MX", "SPF", "DKIM 1", "DKIM 2", "DKIM 3", "DMARC"), strict=True)
)
WORDS = {
    State.RIGHT: "right",
    State.MISSING: "missing",
    State.WRONG: "wrong",
    State.UNKNOWN: "could not look",
}
PURELYMAIL = {
    Kind.MX: "passes_mx",
    Kind.SPF: "passes_spf",
    **dict.fromkeys(DKIM_KINDS, "passes_dkim"),
    Kind.DMARC: "passes_dmarc",
}
TONES = {
    Health.State.UNSEEN: "waiting",
    Health.State.UNKNOWN: "waiting",
    Health.State.GOOD: "good",
    Health.State.ATTENTION: "attention",
    Health.State.BROKEN: "broken",
}
WORST = ("broken", "attention", "waiting", "good")
# Longer than this no look takes, so the workers must be busy or gone.
PATIENCE = timedelta(minutes=2)
SOON = timedelta(seconds=45)


@dataclass(frozen=True, slots=True)
class Cell:
    label: str
    tone: str
    words: str


@dataclass(frozen=True, slots=True)
class Row:
    domain: Domain
    cells: tuple[Cell, ...]
    tone: str
    words: str
    # The records of which PurelyMail says something else.
    disputed: tuple[str, ...]
    is_awaited: bool

    @property
    def shown(self) -> str:
        return unicode_name(self.domain.name)

    @property
    def four(self) -> tuple[Cell, ...]:
        """The cells with the worst key for all three, where there is little room."""
        mx, spf, *keys, dmarc = self.cells
        worst = min(keys, key=lambda it: WORST.index(it.tone))
        return mx, spf, Cell("DKIM", worst.tone, worst.words), dmarc

    @property
    def is_foreign(self) -> bool:
        """Whether people read the name in another form than machines."""
        return self.shown != self.domain.name

    @property
    def health(self) -> Health | None:
        return self.domain.seen

    @property
    def is_due(self) -> bool:
        """Whether the next look is so near that no minutes can be told."""
        health = self.health
        return health is not None and health.next_look_at <= timezone.now() + SOON

    @property
    def verdict(self) -> str:
        return self.words if self.health else self.domain.verdict


def row_of(domain: Domain) -> Row:
    health = domain.seen
    if health is None:
        tone, words = _unseen(domain)
    else:
        tone, words = TONES[Health.State(health.state)], in_words(health)
    return Row(
        domain,
        cells_of(domain),
        tone,
        words,
        tuple(record_name(it) for it in health.disputed) if health else (),
        is_awaited(getattr(domain, "health", None)),
    )


def cells_of(domain: Domain) -> tuple[Cell, ...]:
    health = domain.seen
    if domain.is_shared:
        return tuple(
            Cell(
                LABELS[kind],
                "good" if getattr(domain, PURELYMAIL[kind]) else "broken",
                "as PurelyMail says",
            )
            for kind in GRID
        )
    if health is None:
        return tuple(Cell(it, "waiting", "not looked at yet") for it in LABELS.values())
    return tuple(
        Cell(LABELS[kind], tone_of(kind, state), WORDS[state])
        for kind, state in states_of(health).items()
    )


def states_of(health: Health) -> dict[Kind, State]:
    """Return the state of each cell as it was stored."""
    return {
        kind: State[health.cells.get(kind.value, State.UNKNOWN.name).upper()]
        for kind in GRID
    }


def tone_of(kind: Kind, state: State) -> str:
    """Return the tone of one record. Not being able to look is no fault of it."""
    if state is State.UNKNOWN:
        return "waiting"
    if state is State.RIGHT:
        return "good"
    return "broken" if kind in VITAL else "attention"


def in_words(health: Health) -> str:
    """Say in a few words what was seen."""
    states = states_of(health)
    if health.state == Health.State.UNKNOWN and not any(
        it.is_bad for it in states.values()
    ):
        return "Could not look"
    if states[Kind.MX] is State.MISSING:
        return "Mail does not arrive"
    bad = dict.fromkeys(
        name.partition(" ")[0] for name, state in _named(states) if state.is_bad
    )
    if all(state.is_bad for state in states.values()):
        return "Not set up for PurelyMail"
    if list(bad) == ["MX"]:
        return "MX leads elsewhere"
    if bad:
        *most, last = bad
        names = f"{', '.join(most)} and {last}" if most else last
        return f"{names} {'are' if most else 'is'} not right"
    if health.state == Health.State.ATTENTION:
        return "Needs attention"
    if health.state == Health.State.UNKNOWN:
        return "Could not look"
    return "Healthy"


def _named(states: dict[Kind, State]) -> Iterable[tuple[str, State]]:
    return ((LABELS[kind], state) for kind, state in states.items())


def _unseen(domain: Domain) -> tuple[str, str]:
    if domain.is_shared:
        return ("good" if domain.is_healthy else "broken"), "Run by PurelyMail"
    return "waiting", "Not looked at yet"


def record_name(verdict: str) -> str:
    """Return MX for `passes_mx`, and so on."""
    return verdict.removeprefix("passes_").upper()


def is_awaited(health: Health | None) -> bool:
    """Whether a look that somebody asked for is on its way."""
    if health is None or health.domain_id is None:
        return False
    if health.is_being_looked_at:
        return True
    asked, looked = health.asked_at, health.looked_at
    if asked is None or asked < timezone.now() - PATIENCE:
        return False
    return looked is None or looked < asked


def is_overdue(health: Health | None) -> bool:
    """Whether a look that somebody asked for has not come for too long."""
    if health is None or health.asked_at is None or health.is_being_looked_at:
        return False
    waits = health.looked_at is None or health.looked_at < health.asked_at
    return waits and health.asked_at < timezone.now() - PATIENCE
