from __future__ import annotations

import asyncio
import base64
import socket
import time
from dataclasses import replace

import pytest

from purelymanage.imap.account import Account, Security
from purelymanage.imap.errors import (
    CertificateRefused,
    ConnectionLost,
    ImapError,
    LoginRefused,
    ProtocolError,
    Refused,
    Unreachable,
)
from purelymanage.imap.login import check_login, check_server
from tests.imap.dovecot import Dovecot
from tests.imap.scripted import Scripted, answering


@pytest.mark.parametrize("security", list(Security))
def test_it_logs_in_with_any_password(server: Dovecot, security: Security) -> None:
    check = check_login(server.account("otto", security=security))

    assert check.greeting.startswith("OK Dovecot")
    assert {"IMAP4REV1", "LITERAL+", "UIDPLUS"} <= check.capabilities
    assert check.tls_version == (None if security == Security.CLEAR else "TLSv1.3")
    assert 0 < check.seconds < 5


@pytest.mark.slow
def test_a_wrong_password_is_named(server: Dovecot) -> None:
    account = replace(server.account("otto"), password="wrong")
    with pytest.raises(LoginRefused) as caught:
        check_login(account)
    assert caught.value.message == (
        f"The server 127.0.0.1:{server.tls_port} refused this password for otto."
    )
    assert not caught.value.retry


def test_an_unknown_certificate_is_refused(server: Dovecot) -> None:
    account = replace(server.account("otto"), ca_file=None)
    for security, port in (
        (Security.TLS, server.tls_port),
        (Security.STARTTLS, server.port),
    ):
        with pytest.raises(CertificateRefused) as caught:
            check_login(replace(account, security=security, port=port))
        assert caught.value.message.startswith(
            f"The certificate of the server 127.0.0.1:{port} is not trusted: "
        )
    check_login(replace(account, verify_certificate=False))


def test_a_certificate_for_another_name_is_refused(server: Dovecot) -> None:
    # It is the same machine, but its certificate says 127.0.0.1
    account = replace(server.account("otto"), host="127.0.0.1.nip.invalid")
    with pytest.raises(Unreachable):
        check_login(account)
    with pytest.raises(CertificateRefused, match="mismatch"):
        check_login(replace(account, host="127.1"))


def test_a_file_that_holds_no_certificates_is_named(server: Dovecot) -> None:
    with pytest.raises(CertificateRefused, match="cannot be read"):
        check_login(replace(server.account("otto"), ca_file="/nowhere.pem"))


def test_a_server_can_be_tried_without_credentials(server: Dovecot) -> None:
    check = check_server("127.0.0.1", server.tls_port, ca_file=server.ca_file)
    assert "AUTH=PLAIN" in check.capabilities


def test_who_is_not_there_is_named(server: Dovecot) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(Unreachable) as caught:
        check_server("127.0.0.1", port)
    assert caught.value.message == f"Nobody listens at the server 127.0.0.1:{port}."
    assert caught.value.retry
    for name in ("no.such.host.invalid", "a..b", "x" * 70 + ".example.org"):
        with pytest.raises(Unreachable) as caught:
            check_server(name, 993)
        assert caught.value.message == (
            f"The server {name}:993 was not found: no server has this name."
        )
    with pytest.raises(Unreachable, match="No secure connection"):
        check_server("127.0.0.1", server.port, ca_file=server.ca_file)


@pytest.mark.slow
def test_a_silent_server_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        for security in Security:
            started = time.monotonic()
            with pytest.raises(Unreachable):
                check_server("127.0.0.1", port, security, timeout=0.3)
            assert time.monotonic() - started < 1.5


def _failure(*answers: bytes, greeting: bytes = b"* OK hello\r\n") -> ImapError:
    with (
        Scripted(answering(*answers, greeting=greeting)) as server,
        pytest.raises(ImapError) as caught,
    ):
        check_login(server.account(), timeout=2)
    return caught.value


CAPABLE = b"* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\nTAG OK\r\n"


def test_what_a_server_may_say_instead() -> None:
    assert isinstance(_failure(greeting=b"* BYE too busy\r\n"), Unreachable)
    assert isinstance(_failure(greeting=b"220 mail ESMTP\r\n"), ProtocolError)
    assert isinstance(_failure(greeting=b"HTTP/1.1 400 Bad\r\n"), ProtocolError)
    later = _failure(CAPABLE, b"TAG NO [UNAVAILABLE] database is down\r\n")
    assert isinstance(later, Refused)
    assert later.retry
    gone = _failure(CAPABLE, b"* BYE and away\r\n")
    assert isinstance(gone, ConnectionLost)
    assert gone.technical == "and away"
    plain = _failure(b"* CAPABILITY IMAP4rev1 LOGINDISABLED\r\nTAG OK\r\n")
    assert isinstance(plain, LoginRefused)
    assert "allows no log-in over this connection" in plain.message


def test_a_server_that_repeats_the_password_is_not_quoted() -> None:
    encoded = base64.b64encode(b"\0otto\0secret")
    for word in (b"secret", encoded):
        failure = _failure(CAPABLE, b"TAG NO wrong: " + word + b"\r\n")
        assert failure.technical == "wrong: …"


def test_the_password_is_no_part_of_what_is_shown() -> None:
    account = Account(host="h", port=1, user="u", password="secret")
    assert "secret" not in repr(account)


async def _heard(capability: bytes, password: str, *answers: bytes) -> list[bytes]:
    """Return what a server with these capabilities is told at the log-in."""
    heard: list[bytes] = []

    async def script(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(b"* OK [CAPABILITY " + capability + b"] hello\r\n")
        for answer in answers:
            line = await reader.readline()
            heard.append(line.partition(b" ")[2] or line)
            tag = b"P1" if b" " not in line else line.split(b" ")[0]
            writer.write(answer.replace(b"TAG", tag))
        await reader.read()

    def run() -> None:
        with Scripted(script) as server, pytest.raises(ImapError):
            check_login(server.account(password), timeout=0.5)

    await asyncio.to_thread(run)
    return heard


def test_each_server_gets_the_password_in_a_way_it_understands() -> None:
    secret = base64.b64encode("\0otto\0sü".encode())
    heard = asyncio.run(_heard(b"IMAP4rev1 AUTH=PLAIN SASL-IR", "sü", b"TAG NO no\r\n"))
    assert heard == [b"AUTHENTICATE PLAIN " + secret + b"\r\n"]

    heard = asyncio.run(
        _heard(b"IMAP4rev1 AUTH=PLAIN", "sü", b"+ \r\n", b"TAG NO no\r\n")
    )
    assert heard == [b"AUTHENTICATE PLAIN\r\n", secret + b"\r\n"]

    heard = asyncio.run(_heard(b"IMAP4rev1", 'a "b"', b"TAG NO no\r\n"))
    assert heard == [b'LOGIN "otto" "a \\"b\\""\r\n']

    heard = asyncio.run(_heard(b"IMAP4rev1", "sü", b"+ \r\n", b"P1 NO no\r\n"))
    assert heard == [b'LOGIN "otto" {3}\r\n', "sü\r\n".encode()]


def test_a_word_before_the_encryption_ends_the_attempt() -> None:
    # What an attacker adds here would be taken for the server's own words
    script = answering(b"TAG OK go\r\n* OK forged\r\n")
    with Scripted(script) as server:
        account = replace(server.account(), security=Security.STARTTLS)
        with pytest.raises(ProtocolError, match="between STARTTLS and the encryption"):
            check_login(account, timeout=2)


def test_a_lost_connection_may_be_tried_again() -> None:
    assert ConnectionLost("x").retry
    assert not ProtocolError("x").retry
