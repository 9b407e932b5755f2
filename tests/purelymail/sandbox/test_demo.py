from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from email.parser import BytesHeaderParser

import pytest

from purelymanage.purelymail.sandbox import demo_mail
from purelymanage.purelymail.sandbox.mail_store import NewFolder
from purelymanage.purelymail.sandbox.server import Sandbox
from tests.purelymail.sandbox.conftest import Api

# Whoever changes the demo mail knowingly writes the new digest here.
DIGEST = "45e634477cc22a32cec60e3e7e53fb18f4e25d7cb43967cd74e60076289fb689"


@pytest.fixture(scope="module")
def folders() -> list[NewFolder]:
    return list(demo_mail.folders_of(demo_mail.ANNA))


def digest(folders: Iterable[NewFolder]) -> str:
    total = hashlib.sha256()
    for folder in folders:
        for mail in folder.mails:
            about = f"{folder.name} {mail.received.isoformat()} {mail.flags}"
            total.update(about.encode() + mail.raw)
    return total.hexdigest()


def test_the_account_has_what_the_pages_show(api: Api) -> None:
    users = api.call("listUser")["users"]
    assert len(users) == 40
    domains = Counter(user.partition("@")[2] for user in users)
    assert domains == {"example.org": 24, "shop.example": 12, "waiting.example": 4}
    details = [api.call("getUser", userName=user) for user in users]
    for flag in (
        "enableSearchIndexing",
        "recoveryEnabled",
        "requireTwoFactorAuthentication",
        "enableSpamFiltering",
    ):
        assert {it[flag] for it in details} == {True, False}
    assert {len(it["resetMethods"]) for it in details} == {0, 1, 2}
    for it in details:
        assert it["resetMethods"] or not it["requireTwoFactorAuthentication"]


def test_the_rules_are_of_all_four_kinds(api: Api) -> None:
    rules = api.call("listRoutingRules")["rules"]
    kinds = Counter(
        (bool(it["matchUser"]), it["prefix"], it["catchall"]) for it in rules
    )
    assert kinds == {
        (True, False, False): 6,
        (True, True, False): 4,
        (False, True, False): 1,
        (False, True, True): 1,
    }


def test_the_credit_can_be_chosen() -> None:
    sandbox = Sandbox(credit="1.25", dns=False, imap=False)
    assert str(sandbox.account.state.credit) == "1.25"


def test_an_empty_account_has_nothing_but_zones() -> None:
    sandbox = Sandbox(demo=False, dns=False, imap=False)
    call = sandbox.account.call
    assert call("listUser", {}) == {"users": []}
    call("addDomain", {"domainName": "example.org"})
    assert call("listDomains", {})["domains"][0]["dnsSummary"]["passesMx"]


def test_the_mailbox_is_the_same_each_time(folders: list[NewFolder]) -> None:
    assert digest(folders) == DIGEST


def test_the_mailbox_is_large_enough(folders: list[NewFolder]) -> None:
    mails = [mail for folder in folders for mail in folder.mails]
    assert len(mails) == 1_500
    assert 20e6 < sum(len(mail.raw) for mail in mails) < 45e6
    years = {mail.received.year for mail in mails}
    assert years == set(range(2015, 2026))


def test_the_folders_are_awkward(folders: list[NewFolder]) -> None:
    names = {folder.name for folder in folders}
    assert len(names) == 16
    assert {"Entwürfe", "Gelöschte Elemente", "Projekte.Café & Bar", "日本語"} <= names
    assert 'Projekte.Umbau "Altbau"' in names
    assert "Archiv.2023.Kunden" in names
    assert "Archiv.2023" not in names
    uses = {folder.use for folder in folders if folder.use}
    assert uses == {"Sent", "Drafts", "Trash", "Junk", "Archive"}


@pytest.mark.slow
def test_the_messages_are_awkward(folders: list[NewFolder]) -> None:
    mails = [mail for folder in folders for mail in folder.mails]
    flags = {flag for mail in mails for flag in mail.flags}
    assert flags >= {"\\Seen", "\\Answered", "\\Flagged", "\\Draft", "\\Deleted"}
    assert flags >= {"$Forwarded", "Rechnung"}
    parse = BytesHeaderParser().parsebytes
    ids = Counter(str(parse(mail.raw)["Message-ID"]) for mail in mails)
    assert ids["None"] >= 10
    assert [it for it, count in ids.items() if count == 2] == [
        "<shared-by-two@old-provider.example>"
    ]
    assert sum(b"Content-Disposition: attachment" in mail.raw for mail in mails) > 100
    assert any(not mail.raw.endswith(b"\n") for mail in mails)
    assert {mail.received.utcoffset() for mail in mails} != {None}


def test_smaller_mailboxes_exist() -> None:
    sizes = {
        user: sum(len(folder.mails) for folder in demo_mail.folders_of(user))
        for user in demo_mail.MAILBOXES
        if user != demo_mail.ANNA
    }
    expected = {"ben@old-provider.example": 200, "info@old-provider.example": 40}
    assert sizes == expected
