from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from purelymanage.imap.account import Account, Security
from purelymanage.imap.certificates import Fault
from purelymanage.imap.errors import CertificateRefused, LoginRefused
from purelymanage.imap.inspection import Inspection, Step, inspect
from tests.imap.dovecot import Dovecot
from tests.imap.scripted import Scripted, answering


@pytest.mark.parametrize("security", list(Security))
def test_all_that_can_be_seen_is_told(server: Dovecot, security: Security) -> None:
    seen = inspect(server.account("otto", security=security))

    assert seen.problem is None
    assert seen.failed_at is None
    assert seen.address == "127.0.0.1"
    assert 0 < seen.seconds_to_reach <= seen.seconds
    assert seen.greeting is not None
    assert "Dovecot" in seen.greeting
    assert "UIDPLUS" in seen.capabilities
    assert seen.is_logged_in
    if security is Security.CLEAR:
        assert (seen.tls_version, seen.certificate) == ("", None)
    else:
        assert seen.tls_version == "TLSv1.3"
        assert seen.certificate is not None
        assert "127.0.0.1" in seen.certificate.names


def test_an_untrusted_certificate_is_shown_and_told_no_password(
    server: Dovecot,
) -> None:
    account = replace(server.account("otto"), ca_file=None)
    for security, port in (
        (Security.TLS, server.tls_port),
        (Security.STARTTLS, server.port),
    ):
        seen = inspect(replace(account, security=security, port=port))
        assert seen.failed_at is Step.TRUST
        assert isinstance(seen.problem, CertificateRefused)
        assert seen.certificate is not None
        assert seen.certificate.fault("127.0.0.1") is Fault.UNKNOWN_ISSUER
        assert seen.certificate.fault("127.1") is Fault.OTHER_NAME
        assert seen.greeting
        assert "IMAP4REV1" in seen.capabilities
        assert not seen.is_logged_in


@pytest.mark.slow
def test_a_wrong_password_fails_at_the_login(server: Dovecot) -> None:
    seen = inspect(replace(server.account("otto"), password="wrong"))
    assert seen.failed_at is Step.LOG_IN
    assert isinstance(seen.problem, LoginRefused)
    assert seen.capabilities


def test_where_it_ends_is_named(server: Dovecot) -> None:
    account = replace(server.account("otto"), user="")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = closed.getsockname()[1]
    assert inspect(replace(account, port=nobody)).failed_at is Step.REACH
    unknown = replace(account, host="no.such.host.invalid")
    assert inspect(unknown).failed_at is Step.REACH
    # TLS where the server begins in clear text.
    assert inspect(replace(account, port=server.port)).failed_at is Step.ENCRYPT


def _seen(
    *answers: bytes, greeting: bytes, security: Security = Security.CLEAR
) -> Inspection:
    with Scripted(answering(*answers, greeting=greeting)) as server:
        return inspect(replace(server.account(), security=security), timeout=2)


def test_what_is_no_mail_server_fails_at_the_greeting() -> None:
    assert _seen(greeting=b"220 mail ESMTP\r\n").failed_at is Step.GREET
    assert _seen(greeting=b"* BYE too busy\r\n").failed_at is Step.GREET


def test_a_server_without_starttls_fails_at_the_encryption() -> None:
    no_tls = _seen(
        b"TAG BAD what?\r\n", greeting=b"* OK hello\r\n", security=Security.STARTTLS
    )
    assert no_tls.failed_at is Step.ENCRYPT
    assert no_tls.greeting == "hello"


def test_a_silent_server_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        account = Account(
            host="127.0.0.1", port=port, user="", password="", security=Security.CLEAR
        )
        seen = inspect(account, timeout=0.3)
    assert seen.failed_at is Step.GREET
    assert seen.seconds < 1.5
