"""A real Courier of our own, behind a door of ours.

The programs that let people in look for their settings in places that only root can
write to. So a log-in is answered here, and what follows is said to Courier's imapd.
"""

from __future__ import annotations

import base64
import shlex
import socket
import threading

from tests.imap.packages import give_to_nobody
from tests.imap.serving import Unpacked

# What its package configures.
_CAPABILITIES = (
    "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT "
    "QUOTA IDLE"
)


class Courier(Unpacked):
    package = "courier-imap"
    prefix = "INBOX."
    separator = "."

    def serve(self) -> None:
        self._settings = {
            **self.environment,
            "IMAP_CAPABILITY": _CAPABILITIES,
            "IMAP_KEYWORDS": "1",
            "IMAP_ACL": "1",
            "IMAP_UMASK": "022",
            "IMAP_USELOCKS": "1",
            # It watches files, is started when needed, and ends when nobody is left.
            "GAMIN_DEBUG_SERVER": str(self.root / "usr/libexec/gam_server"),
            "GAM_CLIENT_ID": self.folder.name,
            "IMAP_TRASHFOLDERNAME": "Trash",
            "TCPREMOTEIP": "127.0.0.1",
        }
        self._door = socket.create_server(("127.0.0.1", 0), backlog=32)
        self.port = int(self._door.getsockname()[1])
        threading.Thread(target=self._let_in, daemon=True).start()

    def end(self) -> None:
        self._door.close()
        super().end()

    def add_user(self, user: str, password: str) -> None:
        super().add_user(user, password)
        home = self.folder / user
        home.mkdir()
        for name in ("cur", "new", "tmp"):
            (home / name).mkdir()
            give_to_nobody(home / name)
        give_to_nobody(home)

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
        home = self.folder / user
        own = {"AUTHENTICATED": user, "HOME": str(home), "MAILDIRPATH": str(home)}
        program = self.root / "usr/bin/imapd"
        self.run(
            [program, home], self._settings | own, stdin=talk, stdout=talk, cwd=home
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
