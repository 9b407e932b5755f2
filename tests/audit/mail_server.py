"""An SMTP server that takes mail, and one that never says a word."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class MailServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, refuses: str, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Session)
        self.refuses = refuses
        self.taken: list[bytes] = []
        self.connections = 0

    @property
    def port(self) -> int:
        port: int = self.socket.getsockname()[1]
        return port


class _Session(socketserver.StreamRequestHandler):
    server: MailServer

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def handle(self) -> None:
        self.server.connections += 1
        self.say("220 test")
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                self.say("354 go on")
                body = b""
                while (part := self.rfile.readline()) != b".\r\n":
                    body += part
                self.server.taken.append(body)
            if verb == b"RCPT" and self.server.refuses.encode() in line:
                self.say("550 nobody of that name")
            else:
                self.say("221 bye" if verb == b"QUIT" else "250 fine")
            if verb == b"QUIT":
                return


@contextmanager
def smtp_server(
    refuses: str = "nobody at all", *, port: int = 0
) -> Iterator[MailServer]:
    with MailServer(refuses, port) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class SilentServer:
    """Takes connections and never says a word."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self.port: int = listening.getsockname()[1]

    def count_connections(self) -> int:
        """Return how many have come so far, ended or not."""
        self._listening.settimeout(0)
        count = 0
        with suppress(BlockingIOError):
            while True:
                self._listening.accept()[0].close()
                count += 1
        return count


@contextmanager
def silent_server() -> Iterator[SilentServer]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield SilentServer(listening)
