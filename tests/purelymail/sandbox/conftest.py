from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from purelymanage.purelymail.sandbox.server import Sandbox

TIMEOUT = 5


class Api:
    """Talks to the stand-in as a client would, without the panel's own client."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.http = requests.Session()
        self.http.headers["Purelymail-Api-Token"] = sandbox.api_token

    def post(
        self, operation: str, body: Any = None, *, timeout: float = TIMEOUT
    ) -> requests.Response:
        url = f"{self.sandbox.api_url}/api/v0/{operation}"
        return self.http.post(url, json=body or {}, timeout=timeout)

    def call(self, operation: str, **body: Any) -> dict[str, Any]:
        answer = self.post(operation, body).json()
        assert answer["type"] == "success", answer
        result: dict[str, Any] = answer["result"]
        return result

    def refusal(self, operation: str, **body: Any) -> tuple[str, str]:
        response = self.post(operation, body)
        assert response.status_code == 200
        answer = response.json()
        assert answer["type"] == "error", answer
        return answer["code"], answer["message"]

    def control(self, method: str, what: str, **body: Any) -> dict[str, Any]:
        url = f"{self.sandbox.api_url}/sandbox/{what}"
        response = requests.request(method, url, json=body, timeout=TIMEOUT)
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox(dns=False, imap=False) as sandbox:
        yield sandbox


@pytest.fixture
def api(running: Sandbox) -> Api:
    running.reset()
    return Api(running)
