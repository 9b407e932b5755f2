from __future__ import annotations

import imaplib
import ssl
from collections.abc import Iterator

import pytest
import requests

from purelymanage.purelymail.sandbox.server import Sandbox
from tests.purelymail.sandbox.conftest import Api


def sent(api: Api, to: str) -> dict[str, list[str]]:
    """Send a message and return where it went, leaving out what did not happen."""
    outcome = api.control("POST", "mail", to=to)
    return {name: where for name, where in outcome.items() if where}


def add_rule(api: Api, pattern: str, *targets: str, catchall: bool = False) -> None:
    name, _, domain = pattern.partition("@")
    api.call(
        "createRoutingRule",
        domainName=domain,
        matchUser=name.removesuffix("*"),
        prefix=name.endswith("*"),
        catchall=catchall,
        targetAddresses=list(targets),
    )


def test_mail_arrives_in_the_mailbox(api: Api) -> None:
    assert sent(api, "Anna@example.org") == {"mailboxes": ["anna@example.org"]}


def test_what_follows_a_symbol_is_ignored(api: Api) -> None:
    assert sent(api, "anna+shop@example.org") == {"mailboxes": ["anna@example.org"]}
    assert sent(api, "anna.b-c@example.org") == {"mailboxes": ["anna@example.org"]}


def test_symbols_count_where_subaddressing_is_off(api: Api) -> None:
    there = {"mailboxes": ["lars.holm@shop.example"]}
    assert sent(api, "lars.holm@shop.example") == there
    assert sent(api, "lars+x@shop.example") == {"bounced": ["lars+x@shop.example"]}


def test_the_tag_goes_before_rules_are_asked(api: Api) -> None:
    add_rule(api, "first.last@example.org", "ben@example.org")
    add_rule(api, "first@example.org", "clara@example.org")
    there = {"mailboxes": ["clara@example.org"]}
    assert sent(api, "first.last@example.org") == there


def test_several_targets_each_get_a_copy(api: Api) -> None:
    both = ["anna@example.org", "support@example.org"]
    assert sent(api, "postmaster@example.org") == {"mailboxes": both}


def test_rules_take_mail_from_mailboxes(api: Api) -> None:
    assert sent(api, "ulla@waiting.example") == {"mailboxes": ["info@example.org"]}


def test_a_catch_all_spares_mailboxes(api: Api) -> None:
    assert sent(api, "nobody@example.org") == {"mailboxes": ["info@example.org"]}
    assert sent(api, "ben@example.org") == {"mailboxes": ["ben@example.org"]}


def test_a_mailbox_among_its_own_targets_keeps_a_copy(api: Api) -> None:
    add_rule(api, "anna@example.org", "anna@example.org", "ben@example.org")
    both = ["anna@example.org", "ben@example.org"]
    assert sent(api, "anna@example.org") == {"mailboxes": both}


def test_exact_beats_prefix_and_long_beats_short(api: Api) -> None:
    add_rule(api, "inv*@example.org", "anna@example.org")
    add_rule(api, "invoices@example.org", "ben@example.org")
    assert sent(api, "invoices@example.org") == {"mailboxes": ["ben@example.org"]}
    assert sent(api, "invoice@example.org") == {"mailboxes": ["billing@example.org"]}
    assert sent(api, "invite@example.org") == {"mailboxes": ["anna@example.org"]}


def test_loops_are_cut(api: Api) -> None:
    add_rule(api, "one@example.org", "two@example.org", "anna@example.org")
    add_rule(api, "two@example.org", "one@example.org")
    outcome = sent(api, "one@example.org")
    assert outcome["mailboxes"] == ["anna@example.org"]
    assert outcome["cut"]


def test_a_rule_without_targets_swallows_mail(api: Api) -> None:
    add_rule(api, "void@example.org")
    assert sent(api, "void@example.org") == {"dropped": ["void@example.org"]}


def test_what_is_not_here_leaves_or_bounces(api: Api) -> None:
    away = {"outside": ["dispatch@logistics.example"]}
    assert sent(api, "warehouse@shop.example") == away
    assert sent(api, "nobody@shop.example") == {"bounced": ["nobody@shop.example"]}
    assert sent(api, "somebody@purelymail.com") == {
        "outside": ["somebody@purelymail.com"]
    }
    assert sent(api, "no address") == {"bounced": ["no address"]}


def test_a_message_needs_a_recipient(api: Api) -> None:
    with pytest.raises(requests.HTTPError, match="400"):
        api.control("POST", "mail")


@pytest.fixture(scope="module")
def with_imap() -> Iterator[Sandbox]:
    with Sandbox(dns=False) as sandbox:
        yield sandbox


def test_messages_land_in_the_inboxes(with_imap: Sandbox) -> None:
    api, clients = Api(with_imap), {}
    for name in ("anna", "support"):
        clients[name] = log_in(with_imap, name)
        clients[name].select("INBOX")
    api.control("POST", "mail", to="postmaster@example.org", subject="Hello you")
    for name, client in clients.items():
        # Also in a folder that somebody has open already.
        client.noop()
        assert client.search(None, "SUBJECT", '"Hello you"')[1] != [b""], name
        client.logout()
    later = log_in(with_imap, "ben")
    raw = "Subject: As it is\r\n\r\nText\r\n"
    api.control("POST", "mail", to="ben+tag@example.org", raw=raw)
    later.select("INBOX")
    assert later.fetch("1", "(RFC822)")[1][0][1] == raw.encode()  # type: ignore[index]
    later.logout()


def log_in(sandbox: Sandbox, name: str) -> imaplib.IMAP4:
    host, _, port = sandbox.destination_imap.rpartition(":")
    context = ssl.create_default_context(cafile=sandbox.ca_file)
    client = imaplib.IMAP4_SSL(host, int(port), ssl_context=context, timeout=30)
    client.login(f"{name}@example.org", f"purelymail-demo-{name}")
    return client
