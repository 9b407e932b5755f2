"""A line on a bad day: cuts, stalls, splits and reorders, the same way for a seed."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.imap.proxy import Proxy, Way

_LITERAL = re.compile(rb"\{(\d+)\}\r\n\Z")
_FETCHED = re.compile(rb"\* \d+ FETCH ")
_APPENDED = re.compile(rb"\S+ OK \[APPENDUID ")
_UNASKED = (
    b"* OK Still here.\r\n",
    b"* 1 FETCH (FLAGS (\\Seen))\r\n",
    b"* 0 RECENT\r\n",
)


@dataclass
class Chaos(Proxy):
    seed: int = 0
    # How likely it is that a connection ends by a cut, or in silence.
    cuts: float = 0.3
    stalls: float = 0.05
    # Within how many bytes.
    within: int = 60_000
    met: Counter[str] = field(default_factory=Counter, init=False)

    async def _pass(self, way: Way) -> None:
        reader, writer, _, upwards = way
        # Not meant to be secret, but to be the same each time.
        chance = random.Random(f"{self.seed} {self.connections} {upwards}")  # noqa: S311
        # Each way counts as half a line.
        weights = [2 - self.cuts - self.stalls, self.cuts, self.stalls]
        (fate,) = chance.choices(["none", "cut", "stall"], weights)
        # As often early as late: what is small is cut as well.
        room = int(self.within ** chance.random()) if fate != "none" else 1 << 60
        responses = None if upwards else Responses(chance, self.met)
        while data := await reader.read(65536):
            for piece in _split(chance, responses.feed(data) if responses else data):
                if len(piece) >= room:
                    writer.write(piece[:room])
                    await writer.drain()
                    self.met[fate] += 1
                    if fate == "stall":
                        await asyncio.Event().wait()
                    return
                room -= len(piece)
                writer.write(piece)
                await writer.drain()
                if chance.random() < 0.1:
                    await asyncio.sleep(chance.random() / 500)


class Responses:
    """Gives out whole responses, in another order where a server might do so."""

    def __init__(self, chance: random.Random, met: Counter[str]) -> None:
        self._chance = chance
        self._met = met
        self._rest = b""

    def feed(self, data: bytes) -> bytes:
        found, self._rest = _cut(self._rest + data)
        given: list[bytes] = []
        while found:
            run = [found.pop(0)]
            kind = _kind(run[0])
            while kind and found and _kind(found[0]) == kind:
                run.append(found.pop(0))
            if len(run) > 1 and self._chance.random() < 0.5:
                self._chance.shuffle(run)
                self._met["reordered"] += 1
            given += run
            if given[0].startswith(b"*") and self._chance.random() < 0.05:
                given.append(self._chance.choice(_UNASKED))
                self._met["unasked"] += 1
        return b"".join(given)


def _kind(response: bytes) -> str:
    """Name what may be said in any order among its like."""
    if _FETCHED.match(response):
        return "message"
    return "stored" if _APPENDED.match(response) else ""


def _cut(data: bytes) -> tuple[list[bytes], bytes]:
    """Cut into whole responses and the beginning of one."""
    found, start, at = [], 0, 0
    while (end := data.find(b"\n", at)) >= 0:
        at = end + 1
        literal = _LITERAL.search(data, max(start, at - 24), at)
        if literal:
            at += int(literal[1])
            if at > len(data):
                break
            continue
        found.append(data[start:at])
        start = at
    return found, data[start:]


def _split(chance: random.Random, data: bytes) -> Iterator[bytes]:
    while data:
        size = len(data) if chance.random() < 0.7 else chance.randint(1, len(data))
        yield data[:size]
        data = data[size:]
