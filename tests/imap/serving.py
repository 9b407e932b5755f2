"""What the mail servers of the tests have in common."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from purelymanage.imap.account import Account, Security
from tests.imap.packages import as_nobody, end, require_server


class Served(ABC):
    """Use it as a context manager; the port is known inside."""

    def __enter__(self) -> Self:
        self.begin()
        return self

    def __exit__(self, *reason: object) -> None:
        self.end()

    @abstractmethod
    def begin(self) -> None: ...

    @abstractmethod
    def end(self) -> None: ...


class MailServer(Served):
    """A server with any users we like, in clear text."""

    prefix = ""
    separator = "/"

    def __init__(self) -> None:
        self.port = 0
        self.users: dict[str, str] = {}

    def add_user(self, user: str, password: str) -> None:
        self.users[user] = password

    def account(self, user: str) -> Account:
        return Account(
            host="127.0.0.1",
            port=self.port,
            user=user,
            password=self.users[user],
            security=Security.CLEAR,
        )


class Unpacked(MailServer):
    """A server whose package is unpacked and not installed."""

    package: ClassVar[str]

    def begin(self) -> None:
        self.root, self.environment = require_server(self.package)
        self.folder = Path(tempfile.mkdtemp(prefix=f"{self.package}-"))
        # It is not root and has to get in.
        self.folder.chmod(0o755)
        self._log = (self.folder / "log").open("wb")
        self._processes: list[subprocess.Popen[bytes]] = []
        self.serve()

    @abstractmethod
    def serve(self) -> None: ...

    def end(self) -> None:
        for process in self._processes:
            end(process)
        self._log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(
        self,
        command: Sequence[str | Path],
        environment: Mapping[str, str],
        **places: Any,
    ) -> subprocess.Popen[bytes]:
        """Start a program that has no more rights than it needs."""
        process: subprocess.Popen[bytes] = subprocess.Popen(
            command,
            env=dict(environment),
            **{"stdout": self._log, "stderr": self._log, **places, **as_nobody()},
        )
        self._processes.append(process)
        return process


class InThread(Served):
    """A server of ours, with an event loop in a thread of its own."""

    port = 0
    # How much a client may say that nobody has read.
    limit = 1 << 16

    def begin(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(5)

    def end(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    @abstractmethod
    async def talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Serve one client; ended with the server."""

    async def _open(self) -> None:
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", 0, limit=self.limit
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self.talk(reader, writer)
        finally:
            writer.transport.abort()
            self._tasks.discard(task)

    async def _close(self) -> None:
        self._server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until somebody listens there."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError("the mail server did not start")
