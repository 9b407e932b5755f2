"""Somebody at a running panel who has no JavaScript, only forms and links."""

from __future__ import annotations

import re
import time
from types import TracebackType
from typing import Self

import requests

from tests.panel import Panel

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class Visitor:
    def __init__(self, panel: Panel) -> None:
        self.panel = panel
        self.http = requests.Session()

    def __enter__(self) -> Self:
        self.post(
            "/accounts/login/", login=self.panel.email, password=self.panel.password
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.http.close()

    def get(self, path: str) -> requests.Response:
        return self.http.get(self.panel.url + path, timeout=30)

    def post(self, path: str, at: str = "", **form: str) -> requests.Response:
        """Send the form of the page `at`, by default the page it is sent to."""
        found = TOKEN.search(self.get(at or path).text)
        assert found, f"There is no form at {at or path}."
        return self.http.post(
            self.panel.url + path,
            data={"csrfmiddlewaretoken": found[1], **form},
            headers={"Referer": self.panel.url + path},
            timeout=90,
        )

    def add_server(self, name: str) -> str:
        """Add the demo's old provider under this name and return its key."""
        host, _, port = self.panel.sandbox["source_imap"].rpartition(":")
        server = {"name": name, "host": host, "port": port, "security": "tls"}
        self.post("/migrations/servers/new/", verify_certificate="on", **server)
        choices = self.get("/migrations/jobs/new/").text
        found = re.search(rf'<option value="(\d+)"[^>]*>{re.escape(name)}<', choices)
        assert found, f"{name} is no server to choose."
        return found[1]

    def plan_copy(self, server: str, to: str) -> str:
        """Ask for a plan of the demo's large mailbox and return the job's path."""
        answer = self.post(
            "/migrations/jobs/new/",
            server=server,
            source_user=self.panel.sandbox["source_user"],
            password=self.panel.sandbox["source_password"],
            destination=to,
        )
        path = answer.url.removeprefix(self.panel.url)
        self.wait_for(path, "Run it")
        return path

    def wait_for(self, path: str, *words: str, seconds: float = 60) -> str:
        """Look at a page until it says one of `words`, and return the page."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            page = self.get(path).text
            if any(word in page for word in words):
                return page
            time.sleep(0.2)
        raise AssertionError(f"{path} never said {' or '.join(words)}:\n{page}")
