"""What is said about a record, and about the domain as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from purelymanage.domains.dns.expected import DKIM_KINDS, Kind, Need, Record
from purelymanage.domains.dns.names import unicode_name
from purelymanage.domains.dns.observations import Answer, Outcome


class State(StrEnum):
    RIGHT = "right"
    MISSING = "missing"
    WRONG = "wrong"
    # The look-up failed or was not made: nothing is known, good or bad.
    UNKNOWN = "cannot tell"

    @property
    def is_bad(self) -> bool:
        return self in (State.MISSING, State.WRONG)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One record: how it is and how it should be."""

    record: Record
    state: State
    sentence: str
    # As it stands in the DNS, `50 mail.example` for MX.
    found: tuple[str, ...] = ()
    # What to set; differs from the usual value where something of the owner's is kept.
    value: str = ""
    ttl: int | None = None
    # What PurelyMail's own check, which is stricter than receivers are, makes of the
    # same answers. None if that cannot be told.
    purelymail_passes: bool | None = None

    @property
    def kind(self) -> Kind:
        return self.record.kind

    @property
    def value_to_set(self) -> str:
        return self.value or self.record.value


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something worth saying beyond the verdicts.

    The code is stable, for tests and for what is stored.
    """

    code: str
    severity: Severity
    # The part of the mail it concerns: MX, SPF, DKIM, DMARC, DNS, ownership or extras.
    area: str
    what: str
    why: str
    remedy: str


class Overall(StrEnum):
    BROKEN = "broken"
    UNKNOWN = "cannot tell"
    ATTENTION = "attention"
    RIGHT = "right"


# The cells of the grid, the worst to fail first.
GRID = (Kind.MX, Kind.SPF, *DKIM_KINDS, Kind.DMARC)


@dataclass(frozen=True, slots=True)
class Health:
    """All that can be said about a domain from one observation."""

    domain: str
    zone: str
    verdicts: tuple[Verdict, ...]
    findings: tuple[Finding, ...]

    def verdict(self, kind: Kind) -> Verdict | None:
        return next((it for it in self.verdicts if it.kind is kind), None)

    @property
    def cells(self) -> dict[Kind, State]:
        """The states of the grid: MX, SPF, three keys, DMARC."""
        states = {it.kind: it.state for it in self.verdicts}
        return {kind: states.get(kind, State.UNKNOWN) for kind in GRID}

    @property
    def overall(self) -> Overall:
        """Broken: mail does not arrive or is refused. Else the worst of the rest.

        The ownership record has no say: once the domain is in the account, mail
        flows without it.
        """
        cells = self.cells
        vital = (cells[Kind.MX], cells[Kind.SPF])
        if any(it.is_bad for it in vital):
            return Overall.BROKEN
        if State.UNKNOWN in vital:
            return Overall.UNKNOWN
        if any(it.is_bad for it in cells.values()) or any(
            it.severity is not Severity.INFO and it.area != "ownership"
            for it in self.findings
        ):
            return Overall.ATTENTION
        if State.UNKNOWN in cells.values():
            return Overall.UNKNOWN
        return Overall.RIGHT

    @property
    def to_set(self) -> list[Verdict]:
        """The records that have to be set or corrected, optional ones left out.

        Neither is one that needs thought instead of another value.
        """
        return [
            it
            for it in self.verdicts
            if it.state.is_bad
            and it.record.need is not Need.OPTIONAL
            and it.found != (it.value_to_set,)
        ]

    @property
    def as_purelymail_sees(self) -> dict[str, bool | None]:
        """What PurelyMail's check should say if it looked now.

        Differs from our verdicts where it is stricter than mail servers are; a record
        that works and that it does not accept is no reason to ask it again and again.
        """
        sees = {it.kind: it.purelymail_passes for it in self.verdicts}
        keys = [sees.get(kind) for kind in DKIM_KINDS]
        return {
            "passes_mx": sees.get(Kind.MX),
            "passes_spf": sees.get(Kind.SPF),
            "passes_dkim": (
                False if False in keys else None if None in keys else all(keys)
            ),
            "passes_dmarc": sees.get(Kind.DMARC),
        }


def could_not_look(name: str, answer: Answer) -> str:
    """Return the sentence for an answer that says nothing."""
    if answer.outcome is Outcome.FAILED:
        return f"Could not look: the name servers of {unicode_name(name)} {answer.failure}."
    return f"{unicode_name(name)} was not looked up."


def unknown(record: Record, answer: Answer) -> Verdict:
    return Verdict(record, State.UNKNOWN, could_not_look(record.zone, answer))
