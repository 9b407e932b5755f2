from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from unittest import mock

import pytest
from django.test import SimpleTestCase, override_settings

from purelymanage.dashboard.doctor import connections
from purelymanage.dashboard.doctor.results import Result, Tone
from tests.audit.mail_server import smtp_server
from tests.imap.certificates import make_certificates
from tests.sandbox import SandboxTestCase


@contextmanager
def tls_server(certificate: Path, key: Path) -> Iterator[int]:
    """Answer handshakes, and say nothing more."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            with suppress(OSError):
                while True:
                    plain, _ = server.accept()
                    with (
                        suppress(OSError),
                        context.wrap_socket(plain, server_side=True) as secure,
                    ):
                        secure.recv(1)

        threading.Thread(target=answer, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


class TlsTests(SimpleTestCase):
    @pytest.fixture(autouse=True)
    def _certificates(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[None]:
        self.authority, certificate, key = make_certificates(tmp_path)
        self.monkeypatch = monkeypatch
        with tls_server(certificate, key) as self.port:
            yield

    def certificate(self, host: str = "localhost") -> Result:
        with override_settings(BASE_URL=f"https://{host}:{self.port}"):
            (found,) = connections._certificate()
        return found

    def test_a_certificate_that_browsers_trust_is_good(self) -> None:
        self.monkeypatch.setenv("SSL_CERT_FILE", str(self.authority))
        found = self.certificate()
        self.assertEqual(found.tone, Tone.GOOD)
        self.assertIn("good until", found.sentence)

    def test_one_that_ends_soon_is_told_before(self) -> None:
        self.monkeypatch.setenv("SSL_CERT_FILE", str(self.authority))
        soon = timedelta(days=60)
        with mock.patch.object(connections, "RENEWED_BEFORE", soon):
            found = self.certificate()
        self.assertEqual(found.tone, Tone.ATTENTION)
        self.assertIn("certbot renew", found.fix)

    def test_one_of_nobody_known_is_broken(self) -> None:
        found = self.certificate()
        self.assertEqual(found.tone, Tone.BROKEN)
        self.assertIn("do not trust", found.sentence)

    def test_a_web_server_that_is_not_there_is_broken(self) -> None:
        with override_settings(BASE_URL="https://127.0.0.1:9"):
            (found,) = connections._certificate()
        self.assertEqual(found.tone, Tone.BROKEN)
        self.assertIn("Connection refused", found.sentence)

    def test_without_https_there_is_no_certificate(self) -> None:
        with override_settings(BASE_URL="http://localhost:8000"):
            (found,) = connections._certificate()
        self.assertEqual(found.tone, Tone.GOOD)

    def test_where_copies_go_is_trusted_by_the_file_of_the_settings(self) -> None:
        place = {"PURELYMAIL_IMAP_HOST": "127.0.0.1", "PURELYMAIL_IMAP_PORT": self.port}
        with override_settings(IMAP_CA_FILE=str(self.authority), **place):
            (found,) = connections._imap()
        self.assertEqual(found.tone, Tone.GOOD)
        with override_settings(IMAP_CA_FILE=None, **place):
            (found,) = connections._imap()
        self.assertEqual(found.tone, Tone.BROKEN)
        self.assertIn("not trusted", found.sentence)


class PurelymailTests(SandboxTestCase):
    def test_the_token_is_tried_by_one_call_that_changes_nothing(self) -> None:
        (found,) = connections._purelymail()
        self.assertEqual(found.tone, Tone.GOOD)
        self.assertRegex(found.sentence, r"the credit is \$\d")

    def test_a_token_that_is_refused_is_told_and_not_shown(self) -> None:
        token = "pm-live-wrong-canary"
        with override_settings(PURELYMAIL_API_TOKEN=token):
            (found,) = connections._purelymail()
        self.assertEqual(found.tone, Tone.BROKEN)
        self.assertNotIn(token, f"{found}")

    def test_none_at_all_is_told(self) -> None:
        with override_settings(PURELYMAIL_API_TOKEN=""):
            (found,) = connections._purelymail()
        self.assertIn("No PurelyMail token is set", found.sentence)

    def test_resolvers_are_asked_one_by_one(self) -> None:
        (found,) = connections._dns()
        self.assertEqual(found.tone, Tone.GOOD)
        with override_settings(DNS_RESOLVERS=["nonsense"]):
            (found,) = connections._dns()
        self.assertEqual(found.tone, Tone.BROKEN)
        self.assertIn("nonsense", found.sentence)


class MailServerTests(SimpleTestCase):
    def look(self, port: int) -> Result:
        backend = "django.core.mail.backends.smtp.EmailBackend"
        with override_settings(
            EMAIL_BACKEND=backend, EMAIL_HOST="127.0.0.1", EMAIL_PORT=port
        ):
            (found,) = connections._mail_server()
        return found

    def test_a_server_that_answers_is_good(self) -> None:
        with smtp_server() as server:
            self.assertEqual(self.look(server.port).tone, Tone.GOOD)

    def test_one_that_lets_nobody_speak_is_told_by_what_it_said(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:

            def refuse() -> None:
                plain, _ = server.accept()
                with plain:
                    plain.sendall(b"554 canary\r\n")
                    plain.recv(1)

            thread = threading.Thread(target=refuse)
            thread.start()
            found = self.look(server.getsockname()[1])
            thread.join()
        self.assertEqual(found.tone, Tone.BROKEN)
        self.assertIn("does not answer as it should (it said 554).", found.sentence)
        self.assertNotIn("canary", found.sentence)

    def test_one_that_does_not_is_broken(self) -> None:
        found = self.look(9)
        self.assertEqual(found.tone, Tone.BROKEN)
        self.assertIn("Connection refused", found.sentence)
