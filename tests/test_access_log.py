from __future__ import annotations

import pytest

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
        ("http://localhost:8000/gather/abc?x=1", "http://localhost:8000/gather/…?x=1"),
        ("GET /mailboxes/?q=ada HTTP/1.1", "GET /mailboxes/?q=ada HTTP/1.1"),
    ],
)
def test_links_that_open_something_are_masked(line: str, shown: str) -> None:
    assert masked(line) == shown
