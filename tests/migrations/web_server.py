"""An HTTPS server of somebody else's, for tests that fetch from it."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

Handler = Callable[[BaseHTTPRequestHandler], None]


class WebServer:
    """Answers by host name; what was asked for is in `asked`."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.pages: dict[str, Handler] = {}
        self.asked: list[str] = []
        pages, asked = self.pages, self.asked

        class Answering(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host = self.headers["Host"]
                asked.append(f"{host}{self.path}")
                pages.get(host, not_found)(self)

            def log_message(self, format: str, *args: object) -> None:
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        # A handshake that fails must not be heard of either.
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.port = int(self._server.server_address[1])

    def __enter__(self) -> Self:
        threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        ).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def not_found(request: BaseHTTPRequestHandler) -> None:
    request.send_error(404)


def page(body: bytes) -> Handler:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "application/xml")
        request.end_headers()
        request.wfile.write(body)

    return answer


def redirect(url: str) -> Handler:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", url)
        request.end_headers()

    return answer
