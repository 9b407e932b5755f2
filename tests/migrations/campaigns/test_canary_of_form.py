"""No password of an owner is to be found anywhere, whatever came of it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
import requests

from tests.migrations.campaigns import rush
from tests.migrations.campaigns.cases import CountingServer
from tests.migrations.test_canary import holds, logs, rows
from tests.panel import Panel
from tests.visitor import TOKEN, Visitor

pytestmark = pytest.mark.slow

REFUSED = "canary-Aviary-2b7c-refused"
KEPT = "canary-Aviary-9d1f-kept"


class Owner:
    """Somebody with a link and a browser, and nothing else."""

    def __init__(self, panel: Panel, path: str) -> None:
        self.url = panel.url + path

    def hand_over(self, address: str, password: str) -> str:
        with requests.Session() as http:
            page = http.get(self.url, timeout=30).text
            token = TOKEN.search(page)
            assert token
            form = {
                "csrfmiddlewaretoken": token[1],
                "server": rush.server_of(page),
                "address": address,
                "password": password,
                "consent": "on",
            }
            headers = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
            return http.post(self.url, form, headers=headers, timeout=30).text


def mails(panel: Panel) -> Iterator[tuple[str, bytes]]:
    for path in (panel.folder / "var" / "mail").glob("*"):
        yield path.name, path.read_bytes()


def test_no_password_of_an_owner_is_anywhere(panel: Panel) -> None:
    canaries = [panel.sandbox["source_password"], REFUSED, KEPT]
    name = f"Canaries {secrets.token_hex(3)}"
    address = panel.sandbox["source_user"]
    with CountingServer(hangs_up=True) as silent, Visitor(panel) as visitor:
        server = visitor.add_server(name)
        owner = Owner(panel, rush.begin_campaign(visitor, name, server))
        other = f"Silent {name}"
        server = rush.add_server(visitor, other, silent.port, parallel=2)
        lost = Owner(panel, rush.begin_campaign(visitor, other, server))
        answers = {
            "is right": owner.hand_over(address, panel.sandbox["source_password"]),
            "refused": owner.hand_over("zoe@old-provider.example", REFUSED),
            "try the password later": lost.hand_over(address, KEPT),
        }
        for words, page in answers.items():
            assert words in page
        listed = visitor.get("/migrations/campaigns/").text
        paths = sorted(set(rush.CAMPAIGN.findall(listed)))[-2:]
        pages = [visitor.get(path).text for path in (*paths, "/audit/", "/")]
        assert any(address in page for page in pages)
    shown = [
        (f"page {n}", it.encode()) for n, it in enumerate([*answers.values(), *pages])
    ]
    found = list(rows(panel))
    assert {"migrations_submission", "django_q_ormq"} & {table for table, _ in found}
    places = (*found, *logs(panel), *mails(panel), *shown)
    assert [place for place, data in places if holds(data, canaries)] == []
