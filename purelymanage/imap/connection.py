"""One IMAP connection with many commands in flight."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from . import responses
from .errors import ConnectionLost, ImapError, ProtocolError, Refused, WentSilent
from .responses import Continue, Data, Status
from .wire import PIECE, Sink, Wire

# Servers take this much without being asked under LITERAL-.
SMALL_LITERAL = 4096

OnData: TypeAlias = Callable[[Data], None]


@dataclass(frozen=True, slots=True)
class Literal:
    size: int
    body: bytes | AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class Prompted:
    """A line that is sent once the server has asked for it."""

    line: bytes = field(repr=False)


CommandPart: TypeAlias = bytes | Literal | Prompted


@dataclass(slots=True)
class _Command:
    tag: bytes
    verb: str
    answer: asyncio.Future[Status]
    on_data: OnData | None
    sink: Sink | None
    # Done before anything is read that comes after an OK.
    then: Callable[[], None] | None = None
    sent_at: float = 0.0


class Connection:
    """Sends commands without waiting for the answers to earlier ones.

    Data goes to the oldest command without an answer: servers work through commands
    in order, unless the result would be the same.
    """

    def __init__(
        self,
        wire: Wire,
        *,
        secrets: tuple[str, ...],
        read_timeout: float,
        keepalive: float,
    ) -> None:
        self.place = wire.place
        self.capabilities: frozenset[str] = frozenset()
        self._wire = wire
        self._secrets = tuple(secret for secret in secrets if secret)
        self._read_timeout = read_timeout
        self._keepalive = keepalive
        # Held while sending commands that must not be parted, such as SELECT and
        # what is meant for the folder it enters.
        self.turn = asyncio.Lock()
        # In the order they were sent.
        self._commands: dict[bytes, _Command] = {}
        self._leave: asyncio.Future[None] | None = None
        self._writing = asyncio.Lock()
        self._switching: set[asyncio.Task[bool]] = set()
        self._counter = 0
        # The shortest time between a command and its answer, in seconds.
        self.round_trip = 60.0
        self._farewell = ""
        self._leaving = False
        self._failure: ImapError | None = None
        self._tasks = [
            asyncio.create_task(self._read_all()),
            asyncio.create_task(self._watch()),
        ]

    @property
    def tls_version(self) -> str | None:
        return self._wire.tls_version

    @property
    def certificate(self) -> bytes | None:
        return self._wire.certificate

    @property
    def failure(self) -> ImapError | None:
        return self._failure

    def has(self, capability: str) -> bool:
        return capability in self.capabilities

    async def send(
        self,
        *parts: CommandPart,
        on_data: OnData | None = None,
        sink: Sink | None = None,
    ) -> asyncio.Future[Status]:
        """Write one command and return the promise of its answer."""
        async with self._writing:
            command = await self._send(parts, on_data, sink)
        return command.answer

    async def compress(self) -> bool:
        """Let both directions be compressed from here on, if the server agrees.

        It waits for the answers to all that was sent, since nobody could tell which
        bytes are what otherwise. For the same reason it goes on where whoever has asked
        is broken off.
        """
        switching = asyncio.create_task(self._compress())
        self._switching.add(switching)
        switching.add_done_callback(self._switching.discard)
        return await asyncio.shield(switching)

    async def _compress(self) -> bool:
        async with self._writing:
            if self._commands:
                await asyncio.wait([it.answer for it in self._commands.values()])
            command = await self._send((b"COMPRESS DEFLATE",), then=self._wire.inflate)
            status = await command.answer
            if status.ok:
                self._wire.deflate()
        return status.ok

    async def run(self, *parts: CommandPart, on_data: OnData | None = None) -> Status:
        """Send one command and wait for its OK."""
        return self.expect_ok(await (await self.send(*parts, on_data=on_data)), parts)

    def expect_ok(self, status: Status, parts: Sequence[CommandPart]) -> Status:
        if status.ok:
            return status
        raise Refused(
            f"The {self.place} refused the command {_verb(parts)}.",
            status.text,
            code=status.code,
        )

    async def learn_capabilities(self) -> None:
        if not self.capabilities:
            await self.run(b"CAPABILITY")

    def learn(self, words: bytes) -> None:
        """Take in what the server says it can do."""
        text = words.decode("ascii", "replace").upper()
        self.capabilities = frozenset(text.split())

    def forget_capabilities(self) -> None:
        """Before a log-in: what was offered then may have changed with it."""
        self.capabilities = frozenset()

    async def heard(self, patience: float) -> bool:
        """Wait for the answers to all that was sent, and say whether they came.

        It ends with the first answer that takes longer than `patience`, in seconds.
        """
        while self._commands and self._failure is None:
            answers = [it.answer for it in self._commands.values()]
            done, _ = await asyncio.wait(
                answers, timeout=patience, return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                break
        return self._failure is None and not self._commands

    async def close(self, *, politely: bool = False) -> None:
        """End the connection; never takes longer than a moment."""
        self._leaving = True
        if politely and self._failure is None:
            try:
                async with asyncio.timeout(0.5):
                    await (await self.send(b"LOGOUT"))
            except (ImapError, TimeoutError):
                pass
        self._fail(self._lost("we closed it"))
        ending = [*self._tasks, *self._switching]
        await asyncio.gather(*ending, return_exceptions=True)

    def blot(self, text: str) -> str:
        """Return the server's words without the secrets it may have repeated."""
        for secret in self._secrets:
            text = text.replace(secret, "…")
        return text

    # Writing

    async def _send(
        self,
        parts: Sequence[CommandPart],
        on_data: OnData | None = None,
        sink: Sink | None = None,
        then: Callable[[], None] | None = None,
    ) -> _Command:
        """Write one command while nobody else writes."""
        if self._failure is not None:
            raise self._failure
        self._counter += 1
        tag = b"P%d" % self._counter
        command = _Command(tag, _verb(parts), _promise(), on_data, sink, then)
        if not self._commands:
            self._wire.touch()
        self._commands[tag] = command
        command.sent_at = time.monotonic()
        try:
            await self._write(command, parts)
        except OSError as exc:
            raise self._fail(self._lost(str(exc))) from None
        except BaseException:
            # Half a command has been written, and nothing can follow it.
            self._fail(self._lost("a command was broken off"))
            raise
        return command

    async def _write(self, command: _Command, parts: Sequence[CommandPart]) -> None:
        """Put the parts together, so that a small command leaves in one packet."""
        buffer = bytearray(command.tag + b" ")
        for part in parts:
            if isinstance(part, bytes):
                buffer += part
                continue
            if isinstance(part, Prompted):
                if not await self._ask_leave(command, buffer + b"\r\n"):
                    return
                buffer = bytearray(part.line)
                continue
            if self._may_send(part.size):
                buffer += b"{%d+}\r\n" % part.size
            else:
                buffer += b"{%d}\r\n" % part.size
                if not await self._ask_leave(command, buffer):
                    return
                buffer = bytearray()
            if isinstance(part.body, bytes) and part.size <= PIECE:
                buffer += part.body
            else:
                await self._wire.put(buffer)
                await self._wire.put_body(part.body)
                buffer = bytearray()
        await self._wire.put(buffer + b"\r\n")

    def _may_send(self, size: int) -> bool:
        small = size <= SMALL_LITERAL and self.has("LITERAL-")
        return small or self.has("LITERAL+")

    async def _ask_leave(self, command: _Command, text: bytearray) -> bool:
        """Announce a literal; False if the server answered the command instead."""
        leave: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._leave = leave
        try:
            await self._wire.put(text)
            either: set[asyncio.Future[Any]] = {leave, command.answer}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._leave = None
        if self._failure is not None:
            raise self._failure
        return leave.done()

    # Reading

    async def _read_all(self) -> None:
        try:
            while True:
                parts = await self._wire.read_response(self._sink)
                self._take(responses.parse(parts))
        except ImapError as exc:
            self._fail(exc)
        except (OSError, EOFError) as exc:
            self._fail(self._lost(str(exc)))
        except Exception as exc:
            # Whatever it was: a reader that ends without a word would leave everybody
            # waiting for ever.
            text = f"The {self.place} sent a response that makes no sense."
            self._fail(ProtocolError(text, type(exc).__name__))

    def _sink(self) -> Sink | None:
        oldest = self._oldest()
        return oldest.sink if oldest else None

    def _oldest(self) -> _Command | None:
        return next(iter(self._commands.values()), None)

    def _take(self, response: responses.Response) -> None:
        if isinstance(response, Status):
            self._take_status(response)
        elif isinstance(response, Continue):
            if self._leave is not None and not self._leave.done():
                self._leave.set_result(None)
        else:
            if response.name == "CAPABILITY":
                words = [word for word in response.tokens if isinstance(word, bytes)]
                self.learn(b" ".join(words))
            self._hand_on(response)

    def _take_status(self, status: Status) -> None:
        if status.code == "CAPABILITY":
            self.learn(status.argument)
        if status.state == "BYE":
            self._farewell = self.blot(status.text)
            if not self._leaving:
                raise self._lost("")
        if not status.tag:
            if status.code:
                self._hand_on(Data(f"[{status.code}]", None, [status.argument]))
            return
        command = self._commands.pop(status.tag, None)
        if command is None:
            raise ProtocolError(f"The {self.place} answered what nobody asked.")
        took = time.monotonic() - command.sent_at
        self.round_trip = min(self.round_trip, took)
        if command.then is not None and status.ok:
            command.then()
        if not command.answer.done():
            text = self.blot(status.text)
            command.answer.set_result(
                Status(status.tag, status.state, status.code, status.argument, text)
            )

    def _hand_on(self, data: Data) -> None:
        oldest = self._oldest()
        if oldest is not None and oldest.on_data is not None:
            oldest.on_data(data)

    # Ending

    async def _watch(self) -> None:
        """Give up on a silent server, and keep an idle connection from being cut."""
        while self._failure is None:
            await asyncio.sleep(min(1.0, self._read_timeout / 4))
            still = self._wire.still
            if self._commands:
                stuck = self._wire.waiting or self._writing.locked()
                if stuck and still > self._read_timeout:
                    self._fail(
                        WentSilent(
                            f"The {self.place} has said nothing for "
                            f"{self._read_timeout:g} seconds."
                        )
                    )
            elif self._keepalive and still > self._keepalive:
                try:
                    await self.send(b"NOOP")
                except ImapError:
                    return

    def _lost(self, technical: str) -> ConnectionLost:
        return ConnectionLost(
            f"The connection to the {self.place} was lost.", self._farewell or technical
        )

    def _fail(self, failure: ImapError) -> ImapError:
        """End everything; the first reason is the one that counts."""
        if self._failure is not None:
            return self._failure
        self._failure = failure
        self._wire.abort()
        for command in self._commands.values():
            if not command.answer.done():
                command.answer.set_exception(failure)
                # Nobody may be waiting for it any more.
                command.answer.exception()
        self._commands.clear()
        current = asyncio.current_task()
        for task in self._tasks:
            if task is not current:
                task.cancel()
        return failure


def _verb(parts: Sequence[CommandPart]) -> str:
    """Return the first word, which never is a secret."""
    first = parts[0] if parts else b""
    return first.split(b" ")[0].decode("ascii") if isinstance(first, bytes) else ""


def _promise() -> asyncio.Future[Status]:
    return asyncio.get_running_loop().create_future()
