from __future__ import annotations

import pytest

from purelymanage import addresses
from tests.refusals import stops


@pytest.mark.parametrize(
    "url",
    [
        "postgres://purelymanage@/purelymanage?host=/run/postgresql",
        "postgres://panel:pass%40word@db.example.org:5433/panel",
        "postgresql://db/panel",
    ],
)
def test_databases_are_found(url: str) -> None:
    assert addresses.database(url)["NAME"] in {"purelymanage", "panel"}


@pytest.mark.parametrize(
    "url",
    [
        "canary",
        "canary:canary@db/panel",
        "postgres://panel:canary@db/",
        "postgres://panel:can/ary@db/panel",
        "postgres://[canary/panel",
        "mysql://panel:canary@db/panel",
        "http://canary/panel",
    ],
)
@pytest.mark.filterwarnings("error")
def test_what_is_no_database_is_told(url: str) -> None:
    with stops("DATABASE_URL must read (?!.*canary)"):
        addresses.database(url)


@pytest.mark.parametrize(
    "url", ["consolemail://", "smtp+tls://panel:word@mail.example.org:587"]
)
def test_mail_servers_are_found(url: str) -> None:
    assert addresses.mail(url)["EMAIL_BACKEND"]


@pytest.mark.parametrize(
    "url", ["canary", "http://canary", "smtp+tls://", "smtp+tls://panel:can/ary@mail"]
)
def test_what_is_no_mail_server_is_told(url: str) -> None:
    with stops("EMAIL_URL must read (?!.*canary)"):
        addresses.mail(url)


def test_the_panel_is_at_a_host(monkeypatch: pytest.MonkeyPatch) -> None:
    assert addresses.panel("BASE_URL", "http://localhost:8000") == (
        "http://localhost:8000"
    )
    monkeypatch.setenv("BASE_URL", "https://panel.example.org/")
    assert addresses.panel("BASE_URL", "") == "https://panel.example.org"
    for wrong in ("panel.example.org", "ftp://panel", "https://", "https://panel:x"):
        monkeypatch.setenv("BASE_URL", wrong)
        with stops("BASE_URL must begin with https:// and a host."):
            addresses.panel("BASE_URL", "")
    for wrong in ("https://panel.example.org/panel", "https://panel.example.org?x"):
        monkeypatch.setenv("BASE_URL", wrong)
        with stops("BASE_URL must end after the host"):
            addresses.panel("BASE_URL", "")
