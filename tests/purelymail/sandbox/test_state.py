from __future__ import annotations

import imaplib
import ssl
import stat
from pathlib import Path

from purelymanage.purelymail.sandbox import certificates
from purelymanage.purelymail.sandbox.server import Sandbox
from tests.purelymail.sandbox.conftest import Api


def open_mailbox(sandbox: Sandbox, address: str, *account: str) -> imaplib.IMAP4:
    context = ssl.create_default_context(cafile=sandbox.ca_file)
    host, _, port = address.partition(":")
    client = imaplib.IMAP4_SSL(host, int(port), ssl_context=context, timeout=5)
    client.login(*account)
    return client


def test_everything_survives_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "new" / "state"
    with Sandbox(state, dns=False) as sandbox:
        token, authority = sandbox.api_token, Path(sandbox.ca_file).read_text()
        api = Api(sandbox)
        api.call("createUser", userName="zoe", domainName="example.org", password="zöe")
        zoe = {"userHandle": "zoe@example.org"}
        app_password = api.call("createAppPassword", **zoe)["appPassword"]
        rule = {"prefix": False, "matchUser": "hi", "targetAddresses": ["a@b.example"]}
        api.call("createRoutingRule", domainName="example.org", **rule)
        api.call("deleteUser", userName="ben@example.org")
        api.control("POST", "zones", zone="new.example", preset="healthy")
        rules = api.call("listRoutingRules")
        client = open_mailbox(
            sandbox, sandbox.destination_imap, "zoe@example.org", app_password
        )
        client.create("Kept")
        client.append(
            "Kept", r"(\Seen Own)", '"01-Mar-2020 10:00:00 +0100"', b"a: b\r\n\r\n"
        )
        client.unsubscribe("Trash")
        before = client.status("Kept", "(UIDVALIDITY UIDNEXT MESSAGES)")

    with Sandbox(state, dns=False) as sandbox:
        assert sandbox.api_token == token
        assert Path(sandbox.ca_file).read_text() == authority
        api = Api(sandbox)
        users = api.call("listUser")["users"]
        assert "zoe@example.org" in users
        assert "ben@example.org" not in users
        assert api.call("listRoutingRules") == rules
        api.call("addDomain", domainName="new.example")
        client = open_mailbox(
            sandbox, sandbox.destination_imap, "zoe@example.org", app_password
        )
        assert client.status("Kept", "(UIDVALIDITY UIDNEXT MESSAGES)") == before
        client.select("Kept")
        _, parts = client.fetch("1", "(FLAGS INTERNALDATE BODY.PEEK[])")
        assert isinstance(parts[0], tuple)
        head, body = parts[0]
        assert body == b"a: b\r\n\r\n"
        assert set(imaplib.ParseFlags(head)) == {b"\\Seen", b"Own"}
        assert b'"01-Mar-2020 10:00:00 +0100"' in head
        assert not any(b"Trash" in line for line in client.lsub()[1] if line)


def test_secrets_are_for_the_owner_of_the_folder_alone(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with Sandbox(state, dns=False):
        modes = {
            name: stat.S_IMODE((state / name).stat().st_mode)
            for name in (".", "account.json", "token", "server.pem")
        }
    assert modes == {
        ".": 0o700,
        "account.json": 0o600,
        "token": 0o600,
        "server.pem": 0o600,
    }
    assert "purelymail-demo-anna" not in (state / "account.json").read_text()


def test_an_emptied_account_stays_empty(tmp_path: Path) -> None:
    first = Sandbox(tmp_path, dns=False, imap=False)
    for name in ("example.org", "shop.example", "waiting.example"):
        first.account.call("deleteDomain", {"name": name})
    second = Sandbox(tmp_path, dns=False, imap=False)
    assert second.account.call("listUser", {}) == {"users": []}


def test_an_expiring_certificate_is_replaced(tmp_path: Path) -> None:
    certificates.ensure(tmp_path, "127.0.0.1")
    first = (tmp_path / "ca.pem").read_text()
    certificates.ensure(tmp_path, "127.0.0.1")
    assert (tmp_path / "ca.pem").read_text() == first
    certificates.ensure(tmp_path, "192.0.2.1")
    assert (tmp_path / "ca.pem").read_text() != first
