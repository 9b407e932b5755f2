from __future__ import annotations

import contextlib
import imaplib
import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from purelymanage.purelymail.sandbox.server import Sandbox
from tests.purelymail.sandbox.conftest import Api

ANNA, PASSWORD = "anna@example.org", "purelymail-demo-anna"
# The first who logs in waits for the demo mail, on a busy machine for long.
TIMEOUT = 30


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox(dns=False) as sandbox:
        yield sandbox


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


def over_tls(sandbox: Sandbox, address: str) -> imaplib.IMAP4_SSL:
    context = ssl.create_default_context(cafile=sandbox.ca_file)
    return imaplib.IMAP4_SSL(
        "127.0.0.1", port_of(address), ssl_context=context, timeout=TIMEOUT
    )


def in_clear(address: str) -> imaplib.IMAP4:
    return imaplib.IMAP4("127.0.0.1", port_of(address), timeout=TIMEOUT)


def opens(sandbox: Sandbox, user: str, password: str) -> bool:
    client = over_tls(sandbox, sandbox.destination_imap)
    plain = f"\0{user}\0{password}".encode()
    try:
        client.authenticate("PLAIN", lambda _: plain)
    except imaplib.IMAP4.error as exc:
        assert "AUTHENTICATIONFAILED" in str(exc)
        return False
    else:
        client.logout()
        return True


def logged_in(sandbox: Sandbox) -> imaplib.IMAP4:
    client = over_tls(sandbox, sandbox.destination_imap)
    # Or each append waits for a delayed acknowledgement.
    client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.login(ANNA, PASSWORD)
    return client


def listed(client: imaplib.IMAP4) -> list[str]:
    _, lines = client.list()
    return [line.decode() for line in lines if isinstance(line, bytes)]


def flags_of(client: imaplib.IMAP4, number: str) -> tuple[bytes, ...]:
    _, (line,) = client.fetch(number, "(FLAGS)")
    assert isinstance(line, bytes)
    return imaplib.ParseFlags(line)


def test_the_account_password_opens_the_mailbox(api: Api) -> None:
    assert opens(api.sandbox, ANNA, PASSWORD)
    assert not opens(api.sandbox, ANNA, "wrong")
    assert not opens(api.sandbox, "nobody@example.org", PASSWORD)


def test_a_changed_password_counts_at_once(api: Api) -> None:
    api.call("modifyUser", userName=ANNA, newPassword="pässwörd 密")
    assert opens(api.sandbox, ANNA, "pässwörd 密")
    assert not opens(api.sandbox, ANNA, PASSWORD)


def test_an_app_password_opens_the_mailbox_until_it_is_revoked(api: Api) -> None:
    plain = api.call("createAppPassword", userHandle=ANNA)["appPassword"]
    assert opens(api.sandbox, ANNA, plain)
    api.call("deleteAppPassword", userName=ANNA, appPassword=plain)
    assert not opens(api.sandbox, ANNA, plain)
    assert opens(api.sandbox, ANNA, PASSWORD)


def test_two_factor_leaves_only_app_passwords(api: Api) -> None:
    api.call("upsertPasswordReset", userName=ANNA, type="email", target="a@b.example")
    api.call("modifyUser", userName=ANNA, requireTwoFactorAuthentication=True)
    plain = api.call("createAppPassword", userHandle=ANNA)["appPassword"]
    assert not opens(api.sandbox, ANNA, PASSWORD)
    assert opens(api.sandbox, ANNA, plain)


def test_a_new_user_has_the_usual_folders(api: Api) -> None:
    api.call("createUser", userName="zoe", domainName="example.org", password="x")
    client = over_tls(api.sandbox, api.sandbox.destination_imap)
    client.login("zoe@example.org", "x")
    assert listed(client) == [
        '(\\HasNoChildren) "/" INBOX',
        '(\\HasNoChildren \\Archive) "/" Archive',
        '(\\HasNoChildren \\Drafts) "/" Drafts',
        '(\\HasNoChildren \\Junk) "/" Junk',
        '(\\HasNoChildren \\Sent) "/" Sent',
        '(\\HasNoChildren \\Trash) "/" Trash',
    ]


def test_mail_follows_a_rename_and_dies_with_the_user(api: Api) -> None:
    client = logged_in(api.sandbox)
    client.append("INBOX", "", "", b"Subject: kept\r\n\r\n")
    api.call("modifyUser", userName=ANNA, newUserName="annika@example.org")
    renamed = over_tls(api.sandbox, api.sandbox.destination_imap)
    renamed.login("annika@example.org", PASSWORD)
    assert renamed.select()[1] == [b"1"]
    api.call("deleteUser", userName="annika@example.org")
    user = {"userName": "annika", "domainName": "example.org"}
    api.call("createUser", **user, password="x")
    again = over_tls(api.sandbox, api.sandbox.destination_imap)
    again.login("annika@example.org", "x")
    assert again.select()[1] == [b"0"]


@pytest.mark.slow
def test_clear_text_and_starttls_share_the_port(api: Api) -> None:
    client = in_clear(api.sandbox.source_imap)
    assert "STARTTLS" in client.capabilities
    client.login(api.sandbox.source_user, api.sandbox.source_password)
    client.logout()

    client = in_clear(api.sandbox.source_imap)
    client.starttls(ssl.create_default_context(cafile=api.sandbox.ca_file))
    assert "STARTTLS" not in client.capabilities
    client.login(api.sandbox.source_user, api.sandbox.source_password)
    assert client.select("INBOX", readonly=True)[1] == [b"420"]
    client.logout()


def test_the_certificate_is_for_this_host_alone(api: Api) -> None:
    port = port_of(api.sandbox.source_imap)
    with pytest.raises(ssl.SSLCertVerificationError):
        imaplib.IMAP4_SSL("127.0.0.1", port, ssl_context=ssl.create_default_context())
    context = ssl.create_default_context(cafile=api.sandbox.ca_file)
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        context.wrap_socket(client, server_hostname="localhost").close()
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as client,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        context.wrap_socket(client, server_hostname="imap.purelymail.com")


def test_what_copying_needs_is_offered(api: Api) -> None:
    client = logged_in(api.sandbox)
    _, lines = client.capability()
    offered = set(lines[0].decode().split())
    wanted = {"LITERAL+", "MULTIAPPEND", "UIDPLUS", "SPECIAL-USE", "IDLE", "MOVE"}
    assert wanted <= offered


def test_messages_come_back_as_they_went_in(api: Api) -> None:
    client = logged_in(api.sandbox)
    raw = b"Subject: 8bit \xff\r\nMessage-ID: <1@a>\r\n\r\nbare\nlf and no end"
    date = '"29-Feb-2016 23:59:58 -0330"'
    command = f"X1 APPEND INBOX (\\Seen \\Flagged $Forwarded Own) {date} "
    # imaplib's own append changes line ends.
    client.send(command.encode() + b"{%d+}\r\n%b\r\n" % (len(raw), raw))
    assert client.readline().startswith(b"X1 OK")
    client.select("INBOX", readonly=True)
    _, parts = client.uid("FETCH", "1", "(FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])")
    head, body = parts[0]
    assert body == raw
    assert date.encode() in head
    assert b"RFC822.SIZE %d" % len(raw) in head
    flags = imaplib.ParseFlags(head)
    assert set(flags) >= {b"\\Seen", b"\\Flagged", b"$Forwarded", b"Own"}
    fields = "(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID RECEIVED)])"
    _, parts = client.uid("FETCH", "1", fields)
    assert parts[0][1] == b"Message-ID: <1@a>\r\n\r\n"


def test_looking_leaves_no_trace(api: Api) -> None:
    client = logged_in(api.sandbox)
    client.append("INBOX", "", "", b"Subject: new\r\n\r\n")
    client.select("INBOX", readonly=True)
    client.fetch("1", "(BODY[])")
    client.close()
    client.select("INBOX")
    assert b"\\Seen" not in flags_of(client, "1")
    client.fetch("1", "(BODY[])")
    assert b"\\Seen" in flags_of(client, "1")


def test_several_messages_in_one_append(api: Api) -> None:
    client = logged_in(api.sandbox)
    first, second = b"Subject: 1\r\n\r\n", b"Subject: 2\r\n\r\n"
    client.send(
        b"X1 APPEND INBOX {%d+}\r\n%b {%d+}\r\n%b\r\n"
        % (len(first), first, len(second), second)
    )
    assert client.readline().startswith(b"X1 OK [APPENDUID 17")
    assert client.select()[1] == [b"2"]


def test_folders_are_made_renamed_and_removed(api: Api) -> None:
    client = logged_in(api.sandbox)
    assert client.create('"Kunden/&AMQ- &- \\"B\\""')[0] == "OK"
    assert client.create("Kunden/")[0] == "OK"
    assert client.create("Kunden")[0] == "NO"
    assert client.rename("Kunden", "Customers")[0] == "OK"
    assert '(\\HasNoChildren) "/" "Customers/&AMQ- &- \\"B\\""' in listed(client)
    assert client.delete("Customers")[0] == "OK"
    assert '(\\Noselect \\HasChildren) "/" Customers' in listed(client)
    assert client.unsubscribe("Trash")[0] == "OK"
    assert not any(b"Trash" in line for line in client.lsub()[1] if line)


def test_a_recreated_folder_is_another_folder(api: Api) -> None:
    client = logged_in(api.sandbox)
    seen = set()
    for _ in range(2):
        client.create("Again")
        _, status = client.status("Again", "(UIDVALIDITY)")
        seen.add(status[0])
        client.delete("Again")
    assert len(seen) == 2


def test_copies_moves_and_expunges(api: Api) -> None:
    client = logged_in(api.sandbox)
    for number in range(4):
        client.append("INBOX", r"(\Seen)", "", b"Subject: %d\r\n\r\n" % number)
    client.select("INBOX")
    client.copy("1:2", "Archive")
    client.uid("MOVE", "4", "Trash")
    client.store("1", "+FLAGS", r"(\Deleted)")
    client.expunge()
    counts = {}
    for folder in ("INBOX", "Archive", "Trash"):
        counts[folder] = client.select(folder)[1][0]
    assert counts == {"INBOX": b"2", "Archive": b"2", "Trash": b"1"}
    client.append("INBOX", "", "", b"Subject: next\r\n\r\n")
    client.select("INBOX")
    # Numbers of messages that are gone are not used again.
    assert client.uid("SEARCH", "ALL")[1] == [b"2 3 5"]


def test_options_of_list_are_put_up_with(api: Api) -> None:
    client = logged_in(api.sandbox)
    client.send(b'X1 LIST "" "*" RETURN (SPECIAL-USE)\r\n')
    lines = []
    while not (line := client.readline()).startswith(b"X1 "):
        lines.append(line)
    assert line.startswith(b"X1 OK")
    assert b'* LIST (\\HasNoChildren \\Sent) "/" Sent\r\n' in lines


def test_a_second_connection_sees_new_mail(api: Api) -> None:
    watching, writing = logged_in(api.sandbox), logged_in(api.sandbox)
    watching.select("INBOX")
    writing.append("INBOX", "", "", b"Subject: new\r\n\r\n")
    watching.noop()
    assert watching.response("EXISTS")[1][-1] == b"1"


def test_a_second_connection_sees_what_went(api: Api) -> None:
    watching, writing = logged_in(api.sandbox), logged_in(api.sandbox)
    for number in range(2):
        writing.append("INBOX", "", "", b"Subject: %d\r\n\r\n" % number)
    watching.select("INBOX")
    writing.select("INBOX")
    writing.store("1", "+FLAGS", r"(\Deleted)")
    writing.expunge()
    # A number means the same message until the client was told otherwise.
    watching.fetch("2", "(UID)")
    watching.noop()
    assert watching.response("EXPUNGE")[1] == [b"1"]
    assert watching.uid("SEARCH", "ALL")[1] == [b"2"]


def test_nobody_logs_in_for_somebody_else(api: Api) -> None:
    client = over_tls(api.sandbox, api.sandbox.destination_imap)
    plain = f"ben@example.org\0{ANNA}\0{PASSWORD}".encode()
    with pytest.raises(imaplib.IMAP4.error):
        client.authenticate("PLAIN", lambda _: plain)


def test_idle_reports_new_mail(api: Api) -> None:
    watching, writing = logged_in(api.sandbox), logged_in(api.sandbox)
    watching.select("INBOX")
    watching.send(b"X1 IDLE\r\n")
    assert watching.readline().startswith(b"+")
    writing.append("INBOX", "", "", b"Subject: new\r\n\r\n")
    assert watching.readline() == b"* 1 EXISTS\r\n"
    watching.send(b"DONE\r\n")


def test_reset_throws_everybody_out(api: Api) -> None:
    client = logged_in(api.sandbox)
    client.append("INBOX", "", "", b"Subject: gone\r\n\r\n")
    api.control("POST", "reset")
    with pytest.raises((imaplib.IMAP4.abort, OSError)):
        client.noop()
    assert logged_in(api.sandbox).select()[1] == [b"0"]


@pytest.mark.slow
def test_nobody_has_to_be_broken_off(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    address = api.sandbox.destination_imap
    silent = [socket.create_connection(("127.0.0.1", port_of(address)))]
    in_handshake = in_clear(address)
    in_handshake.send(b"X1 STARTTLS\r\n")
    assert b"OK" in in_handshake.readline()
    idle, half, full = (logged_in(api.sandbox) for _ in range(3))
    idle.select("INBOX")
    idle.send(b"X1 IDLE\r\n")
    assert idle.readline().startswith(b"+")
    half.send(b"X1 APPEND INBOX {1000+}\r\nhalf")
    full.append("INBOX", "", "", b"x" * 20_000_000)  # more than is sent unread
    full.select("INBOX")
    full.send(b"X1 FETCH 1 BODY.PEEK[]\r\n")
    assert b"FETCH" in full.readline()
    silent.append(socket.create_connection(("127.0.0.1", port_of(address))))

    api.sandbox.hang_up()
    assert caplog.records == []
    for connection in (*silent, in_handshake.sock, idle.sock, half.sock, full.sock):
        connection.close()
    assert opens(api.sandbox, ANNA, PASSWORD)


@pytest.mark.slow
def test_who_comes_during_a_reset_finds_the_new_mail(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    def come_and_write(ends: float) -> None:
        while time.monotonic() < ends:
            with contextlib.suppress(imaplib.IMAP4.error, OSError):
                client = logged_in(api.sandbox)
                client.append("INBOX", "", "", b"Subject: new\r\n\r\n")

    with ThreadPoolExecutor(4) as pool:
        ends = time.monotonic() + 2
        writing = [pool.submit(come_and_write, ends) for _ in range(4)]
        while time.monotonic() < ends:
            api.sandbox.reset()
        for future in writing:
            future.result()
    assert caplog.records == []


def test_a_lone_ampersand_is_one(api: Api) -> None:
    client = logged_in(api.sandbox)
    assert client.create('"A&B C"')[0] == "OK"
    assert client.select('"A&-B C"')[0] == "OK"
    # Not in passwords, though.
    api.call("modifyUser", userName=ANNA, newPassword="a&b")
    other = over_tls(api.sandbox, api.sandbox.destination_imap)
    assert other.login(ANNA, "a&b")[0] == "OK"


@pytest.mark.slow
def test_servers_can_be_slowed_down(api: Api) -> None:
    client = logged_in(api.sandbox)
    api.control("POST", "imap", destination_rate=100_000)
    start = time.monotonic()
    client.append("INBOX", "", "", b"Subject: slow\r\n\r\n" + b"x" * 20_000)
    assert time.monotonic() - start >= 0.2
    client.select("INBOX")
    start = time.monotonic()
    client.fetch("1", "(BODY.PEEK[])")
    client.fetch("1", "(FLAGS)")
    assert time.monotonic() - start >= 0.2


def test_connections_can_be_cut(api: Api) -> None:
    client = logged_in(api.sandbox)
    api.control("DELETE", "imap")
    with pytest.raises((imaplib.IMAP4.abort, OSError)):
        client.noop()
    assert opens(api.sandbox, ANNA, PASSWORD)


def test_silent_and_rude_clients_are_survived(api: Api) -> None:
    port = port_of(api.sandbox.destination_imap)
    socket.create_connection(("127.0.0.1", port)).close()
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"\x16nonsense")
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"a APPEND INBOX {1000+}\r\nhalf")
    assert opens(api.sandbox, ANNA, PASSWORD)
