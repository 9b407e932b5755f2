"""A server in the words that lists of servers show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from purelymanage.figures import in_bytes, thin
from purelymanage.migrations.models import EngineChoice, Server
from purelymanage.migrations.presets import BY_KEY


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A server with what `with_use` says about it."""

    server: Server
    running: int
    # Who it is and how copies are made, and within which limits.
    facts: tuple[str, ...]
    limits: tuple[str, ...]
    use: str

    @classmethod
    def of(cls, server: Server) -> Self:
        # Annotations are unknown to the type of a model.
        use = vars(server)
        return cls(
            server=server,
            running=use["running"],
            facts=tuple(_facts(server)),
            limits=tuple(limits(server, used=use["bytes_today"])),
            use=_use(use["copies_from"], use["copies_into"]),
        )


def limits(server: Server, *, used: int = 0) -> list[str]:
    """Return what is asked of a server at most, and what it holds back."""
    words = []
    if server.parallel_runs:
        number = server.parallel_runs
        words.append("one at a time" if number == 1 else f"at most {number} at once")
    if server.bytes_a_day:
        today = f", {in_bytes(used)} of it today" if used else ""
        words.append(f"at most {in_bytes(server.bytes_a_day)} a day{today}")
    if server.bytes_a_day_each:
        words.append(f"at most {in_bytes(server.bytes_a_day_each)} a day each mailbox")
    if server.messages_a_second:
        words.append(f"at most {server.messages_a_second:g} messages a second for each")
    if server.pause_from and server.pause_until:
        words.append(
            f"not from {server.pause_from:%H:%M} to {server.pause_until:%H:%M}"
        )
    if folders := len(server.left_out_folders):
        words.append(f"without {folders} folder{'' if folders == 1 else 's'}")
    return words


def _facts(server: Server) -> list[str]:
    words = []
    if preset := BY_KEY.get(server.preset):
        words.append(preset.name)
    if server.engine != EngineChoice.AUTO:
        words.append(f"copied by {server.get_engine_display()}")
    return words


def _use(copies_from: int, copies_into: int) -> str:
    words = []
    if copies_from:
        words.append(f"{thin(copies_from)} from it")
    if copies_into:
        words.append(f"{thin(copies_into)} into it")
    if not words:
        return "No copies"
    noun = "copy" if copies_from + copies_into == 1 else "copies"
    number, _, way = words[0].partition(" ")
    return " and ".join([f"{number} {noun} {way}", *words[1:]])
