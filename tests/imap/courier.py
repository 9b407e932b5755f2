"""A real Courier of our own, behind a door of ours.

The programs that let people in look for their settings in places that only root can
write to. So a log-in is answered here, and what follows is said to Courier's imapd.
"""

from __future__ import annotations

import base64
import shlex
import shutil
import socket
import subprocess
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from purelymanage.imap.account import Account, Security
from tests.imap.packages import as_nobody, end, give_to_nobody, require_server

# What its package configures.
_CAPABILITIES = (
    "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT "
    "QUOTA IDLE"
)


@dataclass
class Courier:
    """Use it as a context manager; the port is known inside."""

    prefix: str = field(default="INBOX.", init=False)
    separator: str = field(default=".", init=False)
    port: int = field(default=0, init=False)
    users: dict[str, str] = field(default_factory=dict, init=False)

    def __enter__(self) -> Self:
        root, environment = require_server("courier-imap")
        self._program = root / "usr/bin/imapd"
        self._environment = {
            **environment,
            "IMAP_CAPABILITY": _CAPABILITIES,
            "IMAP_KEYWORDS": "1",
            "IMAP_ACL": "1",
            "IMAP_UMASK": "022",
            "IMAP_USELOCKS": "1",
            # It watches files, is started when needed, and ends when nobody is left.
            "GAMIN_DEBUG_SERVER": str(root / "usr/libexec/gam_server"),
            "IMAP_TRASHFOLDERNAME": "Trash",
            "TCPREMOTEIP": "127.0.0.1",
        }
        self._folder = Path(tempfile.mkdtemp(prefix="courier-"))
        self._environment["GAM_CLIENT_ID"] = self._folder.name
        self._folder.chmod(0o755)
        self._log = (self._folder / "log").open("wb")
        self._talks: list[subprocess.Popen[bytes]] = []
        self._door = socket.create_server(("127.0.0.1", 0), backlog=32)
        self.port = int(self._door.getsockname()[1])
        threading.Thread(target=self._let_in, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._door.close()
        for talk in self._talks:
            end(talk)
        self._log.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def add_user(self, user: str, password: str) -> None:
        self.users[user] = password
        home = self._folder / user
        home.mkdir()
        for name in ("cur", "new", "tmp"):
            (home / name).mkdir()
            give_to_nobody(home / name)
        give_to_nobody(home)

    def account(self, user: str) -> Account:
        return Account(
            host="127.0.0.1",
            port=self.port,
            user=user,
            password=self.users[user],
            security=Security.CLEAR,
        )

    def _let_in(self) -> None:
        while True:
            try:
                talk, _ = self._door.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=[talk], daemon=True).start()

    def _answer(self, talk: socket.socket) -> None:
        with talk:
            talk.sendall(b"* OK Courier is ready.\r\n")
            while line := _line(talk):
                tag, verb, *words = shlex.split(line.decode())
                if verb.upper() == "CAPABILITY":
                    talk.sendall(f"* CAPABILITY {_CAPABILITIES}\r\n".encode())
                    talk.sendall(f"{tag} OK That is all.\r\n".encode())
                    continue
                if verb.upper() == "AUTHENTICATE":
                    _, user, password = base64.b64decode(words[1]).decode().split("\0")
                else:
                    user, password = words
                if self.users.get(user) == password:
                    # Courier itself greets as if somebody had come in by himself.
                    talk.sendall(f"{tag} OK Welcome.\r\n".encode())
                    self._start(talk, user)
                    return
                talk.sendall(f"{tag} NO Login failed.\r\n".encode())

    def _start(self, talk: socket.socket, user: str) -> None:
        home = self._folder / user
        self._talks.append(
            subprocess.Popen(
                [self._program, home],
                stdin=talk,
                stdout=talk,
                stderr=self._log,
                cwd=home,
                env={
                    **self._environment,
                    "AUTHENTICATED": user,
                    "HOME": str(home),
                    "MAILDIRPATH": str(home),
                },
                **as_nobody(),  # type: ignore[call-overload]  # only user and groups
            )
        )


def _line(talk: socket.socket) -> bytes:
    """Read one line and nothing after it, which is for Courier."""
    line = b""
    while not line.endswith(b"\n"):
        piece = talk.recv(1)
        if not piece:
            return b""
        line += piece
    return line
