from __future__ import annotations

import pytest
from django.test import Client

from purelymanage.access_log import masked


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (
            "GET /accounts/invitation/YYhwNnTF-_x/ HTTP/1.1",
            "GET /accounts/invitation/…/ HTTP/1.1",
        ),
        (
            "GET /accounts/password/reset/key/5-abc-def/ HTTP/1.1",
            "GET /accounts/password/reset/key/…/ HTTP/1.1",
        ),
        ("POST /welcome/mwk1jtNb-_x/ HTTP/1.1", "POST /welcome/…/ HTTP/1.1"),
        ("http://localhost:8000/gather/abc?x=1", "http://localhost:8000/gather/…?x=1"),
        ("GET /mailboxes/?q=ada HTTP/1.1", "GET /mailboxes/?q=ada HTTP/1.1"),
    ],
)
def test_links_that_open_something_are_masked(line: str, shown: str) -> None:
    assert masked(line) == shown


def test_what_is_logged_of_refused_requests_is_masked(
    client: Client, caplog: pytest.LogCaptureFixture, db: None
) -> None:
    client.get("/welcome/mwk1jtNb-_x/")
    assert "Not Found: /welcome/…/" in caplog.text
    assert "mwk1jtNb" not in caplog.text
