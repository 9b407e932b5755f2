"""The HTTP face of the stand-in: the vendor's API, and a control interface beside it."""

from __future__ import annotations

import contextlib
import hmac
import json
import logging
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from purelymanage.purelymail.sandbox.account import OPERATIONS, Account
from purelymanage.purelymail.sandbox.control import Control
from purelymanage.purelymail.sandbox.faults import Calls, Fault, Faults
from purelymanage.purelymail.sandbox.fields import Refused

logger = logging.getLogger(__name__)

API_PREFIX = "/api/v0/"
LONGEST_BODY = 1_000_000
NOT_FOUND = "<!doctype html><title>Not found</title><h1>404 Not found</h1>"
BROKEN = "<!doctype html><title>Error</title><h1>Something went wrong</h1>"
EMPTY_LISTS: dict[str, dict[str, Any]] = {
    "listUser": {"users": []},
    "listPasswordReset": {"users": []},
    "listDomains": {"domains": []},
    "listRoutingRules": {"rules": []},
}


class Dropped(Exception):
    """The connection is to end here, without (the rest of) an answer."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # The default of 5 refuses connections when many workers start together.
    request_queue_size = 128

    def __init__(self, api: ApiServer, address: tuple[str, int]) -> None:
        self.api = api
        self.connections: set[socket.socket] = set()
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # The inherited one looks its own name up, which may take seconds.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "sandbox", self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report our own mistakes; clients that hang up are part of the game."""
        error = sys.exception()
        if not isinstance(error, OSError):
            logger.error("a call to the sandbox failed", exc_info=error)

    def close_all(self) -> None:
        self.shutdown()
        self.server_close()
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class ApiServer:
    def __init__(
        self,
        account: Account,
        *,
        token: str,
        faults: Faults,
        calls: Calls,
        control: Control,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.account = account
        self.token = token
        self.faults = faults
        self.calls = calls
        self.control = control
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._server = _Server(self, (host, port))
        self._address = (host, self._server.server_port)

    @property
    def port(self) -> int:
        return self._address[1]

    def start(self) -> None:
        self._serve(self._server)

    def stop(self) -> None:
        self.closing.set()
        with self._lock:
            self._server.close_all()

    def refuse(self, seconds: float) -> None:
        """Close the listener, so that connections are refused, and open it later."""
        with self._lock:
            self._server.close_all()
        threading.Thread(target=self._reopen, args=(seconds,), daemon=True).start()

    def _reopen(self, seconds: float) -> None:
        if self.closing.wait(seconds):
            return
        with self._lock:
            self._server = _Server(self, self._address)
            self._serve(self._server)

    @staticmethod
    def _serve(server: _Server) -> None:
        # Stopping waits for one round of the loop.
        threading.Thread(
            target=server.serve_forever, args=(0.05,), name="sandbox-api", daemon=True
        ).start()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # Buffered, so that headers and body leave in one packet.
    wbufsize = -1
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        """Write no access log."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        api = self.server.api
        try:
            body = self._body()
            if self.path.startswith("/sandbox/"):
                # A web page in somebody's browser must not steer this.
                if "Origin" in self.headers:
                    self._send(403, {"error": "not for browsers"})
                    return
                status, result = api.control.answer(self.command, self.path, body)
                self._send(status, result)
                if refusal := api.control.take_refusal():
                    self.close_connection = True
                    self.wfile.flush()  # or the answer might be refused as well
                    threading.Thread(
                        target=api.refuse, args=(refusal,), daemon=True
                    ).start()
            elif self.command == "POST" and self.path.startswith(API_PREFIX):
                self._call(self.path.removeprefix(API_PREFIX), body)
            else:
                self._send(404, NOT_FOUND)
        except Dropped:
            self.close_connection = True

    def _body(self) -> bytes:
        try:
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            raise Dropped from None
        if not 0 <= length <= LONGEST_BODY:
            raise Dropped
        return self.rfile.read(length)

    def _call(self, operation: str, raw: bytes) -> None:
        api = self.server.api
        token = self.headers.get("Purelymail-Api-Token")
        if not token:
            message = "Token must be supplied in Purelymail-Api-Token header"
            self._send(200, _error("invalidToken", message))
            return
        if not hmac.compare_digest(token.encode(), api.token.encode()):
            self._send(200, _error("invalidToken", "Token not valid."))
            return
        if operation not in OPERATIONS:
            self._send(404, NOT_FOUND)
            return
        try:
            body = json.loads(raw or b"{}")
        except ValueError:
            body = None
        if not isinstance(body, dict):
            self._send(200, _error("badRequest", "The body must be a JSON object."))
            return
        api.calls.add(operation, body)
        fault = api.faults.take(operation)
        if fault and self._fail_before(fault, operation):
            return
        try:
            result = api.account.call(operation, body)
        except Refused as refused:
            answer = _error(refused.code, refused.message)
        else:
            answer = {"type": "success", "result": result}
        if fault:
            self._fail_after(fault, answer)
        else:
            self._send(200, answer)

    def _fail_before(self, fault: Fault, operation: str) -> bool:
        """Play a fault in which nothing is carried out; say whether that was one."""
        success = {"type": "success", "result": {}}
        if fault.kind == "refuse_before":
            self._send(503, BROKEN)
        elif fault.kind.startswith("status_"):
            self._send(int(fault.kind.removeprefix("status_")), BROKEN)
        elif fault.kind == "not_json":
            self._send(200, BROKEN)
        elif fault.kind == "silent_success":
            self._send(200, success)
        elif fault.kind == "empty_list":
            self._send(200, success | {"result": EMPTY_LISTS.get(operation, {})})
        elif fault.kind == "error":
            self._send(200, _error(fault.code, fault.message))
        elif fault.kind == "hang":
            self.server.api.closing.wait(fault.seconds)
            raise Dropped
        elif fault.kind == "drop":
            raise Dropped
        else:
            return False
        return True

    def _fail_after(self, fault: Fault, answer: dict[str, Any]) -> None:
        """Play a fault in which the call is carried out."""
        if fault.kind in {"latency", "hang_after"}:
            self.server.api.closing.wait(fault.seconds)
        if fault.kind in {"hang_after", "drop_after"}:
            raise Dropped
        half = fault.kind == "half_answer"
        self._send(200, answer, half=half)
        self.close_connection = half

    def _send(
        self, status: int, answer: dict[str, Any] | str, *, half: bool = False
    ) -> None:
        if isinstance(answer, str):
            body, kind = answer.encode(), "text/html; charset=utf-8"
        else:
            body, kind = json.dumps(answer).encode(), "application/json"
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if half else body)


def _error(code: str, message: str) -> dict[str, Any]:
    return {"type": "error", "code": code, "message": message}
