from __future__ import annotations

import tempfile
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import ClassVar
from unittest import mock

import pytest
from django.test import SimpleTestCase, override_settings

from purelymanage.domains.dns.names import BadName
from purelymanage.imap.account import Security
from purelymanage.migrations.discovery import Discovery, discover, https
from purelymanage.migrations.discovery.autoconfig import Unreadable, read
from purelymanage.migrations.discovery.https import is_public
from purelymanage.purelymail.sandbox import certificates
from purelymanage.purelymail.sandbox.demo_zones import put_surroundings
from purelymanage.purelymail.sandbox.dns import DnsServer
from purelymanage.purelymail.sandbox.zones import Zones
from tests.migrations.web_server import WebServer, page, redirect

FILE = b"""<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1"><emailProvider id="lab.example">
  <domain>lab.example</domain>
  <incomingServer type="pop3"><hostname>pop.lab.example</hostname><port>995</port>
    <socketType>SSL</socketType></incomingServer>
  <incomingServer type="imap"><hostname>in.%EMAILDOMAIN%</hostname><port>143</port>
    <socketType>STARTTLS</socketType><username>%EMAILADDRESS%</username>
  </incomingServer>
  <incomingServer type="imap"><hostname>In.Lab.Example.</hostname><port>993</port>
    <socketType>SSL</socketType><authentication>OAuth2</authentication>
    <authentication>password-cleartext</authentication>
    <username>%EMAILLOCALPART%</username></incomingServer>
</emailProvider></clientConfig>"""


class AutoconfigTests(SimpleTestCase):
    def read(self, content: bytes) -> list[tuple[str, int, Security]]:
        found = read(content, address="a@lab.example", domain="lab.example")
        return [(it.host, it.port, it.security) for it in found]

    def test_imap_servers_are_read_the_best_protected_first(self) -> None:
        self.assertEqual(
            self.read(FILE),
            [
                ("in.lab.example", 993, Security.TLS),
                ("in.lab.example", 143, Security.STARTTLS),
            ],
        )
        found = read(FILE, address="", domain="lab.example")[0]
        self.assertEqual(found.user, "the part before the @")
        self.assertTrue(found.takes_passwords)

    def test_one_that_knows_oauth_only_is_told_apart(self) -> None:
        content = FILE.replace(b"password-cleartext", b"OAuth2")
        found = read(content, address="", domain="lab.example")
        self.assertFalse(found[0].takes_passwords)

    def test_entities_and_document_types_are_refused(self) -> None:
        bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
        for content in (
            bomb + b"<clientConfig>&b;</clientConfig>",
            b'<?xml version="1.0"?><!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>',
            FILE.replace(b"UTF-8", b"cp037")[:60] + bomb,
            (bomb + b"<x/>").decode().encode("utf-16"),
            b'<?xml version="1.0" encoding="utf-7"?>+ADw-x/>',
        ):
            with self.assertRaises(Unreadable):
                self.read(content)

    def test_what_is_no_such_file_is_refused(self) -> None:
        for content in (b"", b"<html>", b"<html></html>", b"\xff\xfe", b"<a>" * 9000):
            with self.assertRaises(Unreadable):
                self.read(content)

    def test_servers_that_make_no_sense_are_left_out(self) -> None:
        for before, after in (
            (b"In.Lab.Example.", b"in.lab.example/x"),
            (b"In.Lab.Example.", b"localhost"),
            (b"In.Lab.Example.", b"-a.example"),
            (b"<port>993", b"<port>0"),
            (b"<port>993", b"<port>99993"),
            (b"<port>993", b"<port>imap"),
            (b">SSL</socketType><auth", b">magic</socketType><auth"),
        ):
            found = self.read(FILE.replace(before, after))
            self.assertEqual(found, [("in.lab.example", 143, Security.STARTTLS)])


class AddressTests(SimpleTestCase):
    def test_only_the_internet_is_public(self) -> None:
        for address in ("8.8.8.8", "2606:4700::1", "::ffff:8.8.8.8"):
            self.assertTrue(is_public(address), address)
        for address in (
            *("127.0.0.1", "10.1.1.1", "192.168.0.1", "172.16.0.1", "169.254.169.254"),
            *("100.64.0.1", "0.1.2.3", "224.0.0.1", "255.255.255.255", "::1", "::"),
            *("fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "2002:7f00:1::"),
            *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "nonsense"),
        ):
            self.assertFalse(is_public(address), address)


class DiscoveryTests(SimpleTestCase):
    zones: ClassVar[Zones]
    web: ClassVar[WebServer]
    dns: ClassVar[DnsServer]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.zones = Zones()
        put_surroundings(cls.zones)
        cls.web = cls.enterClassContext(
            WebServer(certificates.ensure(folder, "*.lab.example"))
        )
        cls.dns = DnsServer(lambda: cls.zones, host="127.0.0.1", port=0)
        cls.dns.start()
        cls.addClassCleanup(cls.dns.stop)
        cls.enterClassContext(mock.patch.object(https, "PORT", cls.web.port))
        cls.enterClassContext(
            override_settings(
                DNS_RESOLVERS=[f"127.0.0.1:{cls.dns.port}"],
                IMAP_CA_FILE=str(folder / certificates.AUTHORITY),
                ISPDB_URL="https://list.lab.example/v1.1",
                DISCOVERY_REACHES_PRIVATE_NETWORKS=True,
            )
        )

    def setUp(self) -> None:
        self.web.pages.clear()
        self.web.asked.clear()
        self.put_lab()

    def put_lab(self, *records: tuple[str, str, str]) -> None:
        self.zones.put(
            "lab.example",
            [
                ("autoconfig", "A", "127.0.0.1"),
                ("list", "A", "127.0.0.1"),
                ("@", "A", "127.0.0.1"),
                *records,
            ],
        )

    def found(self, text: str = "ann@lab.example") -> list[tuple[str, int, str]]:
        return [(it.host, it.port, it.named_by) for it in discover(text).found]

    def answers(self, discovery: Discovery) -> dict[str, str]:
        return {it.where: it.answer for it in discovery.asked}

    def test_the_domain_itself_is_believed_first(self) -> None:
        self.web.pages["autoconfig.lab.example"] = page(FILE)
        self.web.pages["list.lab.example"] = page(FILE.replace(b"In.Lab", b"Other.Lab"))
        self.put_lab(("_imaps._tcp", "SRV", "0 1 994 srv.lab.example"))
        self.assertEqual(
            self.found(),
            [
                ("in.lab.example", 993, "lab.example itself"),
                ("in.lab.example", 143, "lab.example itself"),
                ("other.lab.example", 993, "Thunderbird's list of providers"),
                ("srv.lab.example", 994, "the DNS of lab.example"),
            ],
        )
        # The list is told the domain, and nobody but the domain the address.
        self.assertIn("list.lab.example/v1.1/lab.example", self.web.asked)
        self.assertEqual(
            [it for it in self.web.asked if "ann" in it],
            [
                "autoconfig.lab.example/mail/config-v1.1.xml"
                "?emailaddress=ann%40lab.example"
            ],
        )

    def test_services_in_the_dns_are_taken_in_their_order(self) -> None:
        self.put_lab(
            ("_imaps._tcp", "SRV", "10 1 993 second.lab.example"),
            ("_imaps._tcp", "SRV", "0 5 993 first.lab.example"),
            ("_imap._tcp", "SRV", "0 0 0 ."),
        )
        self.assertEqual(
            [host for host, _, _ in self.found("lab.example")],
            ["first.lab.example", "second.lab.example"],
        )

    def test_who_receives_the_mail_tells_the_provider(self) -> None:
        self.put_lab(("@", "MX", "10 aspmx.l.google.com"))
        best = discover("lab.example").best
        assert best is not None
        assert best.preset is not None
        self.assertEqual((best.host, best.preset.key), ("imap.gmail.com", "gmail"))
        self.put_lab(("@", "MX", "0 lab-example.mail.protection.outlook.com"))
        best = discover("lab.example").best
        assert best is not None
        self.assertFalse(best.takes_passwords)
        self.put_lab(("@", "MX", "10 mx.zoho.eu"))
        self.assertEqual(self.found()[0][0], "imappro.zoho.eu")

    def test_the_provider_behind_the_receiver_is_asked_too(self) -> None:
        service = ("_imaps._tcp", "SRV", "0 1 993 imap.old-provider.example")
        mx = ("mx", "A", "192.0.2.125")
        self.zones.put("old-provider.example", [service, mx])
        self.put_lab(("@", "MX", "10 mx.old-provider.example"))
        self.assertEqual(
            self.found(),
            [("imap.old-provider.example", 993, "the DNS of old-provider.example")],
        )

    def test_a_guess_is_called_one_and_nothing_is_said_plainly(self) -> None:
        self.put_lab(("@", "MX", "10 mx.lab.example"))
        discovery = discover("lab.example")
        assert discovery.best is not None
        self.assertTrue(discovery.best.is_guess)

        self.put_lab(("@", "MX", "0 ."))
        discovery = discover("lab.example")
        self.assertIsNone(discovery.best)
        answers = self.answers(discovery)
        self.assertEqual(answers["https://autoconfig.lab.example"], "nothing there")
        self.assertIn("not trusted", answers["https://lab.example"])
        self.assertEqual(
            answers["DNS, receivers of mail for lab.example"],
            "the domain takes no mail",
        )

    def test_a_domain_that_has_moved_says_so(self) -> None:
        self.put_lab(
            ("@", "MX", "50 mailserver.purelymail.com"),
            ("_imaps._tcp", "SRV", "0 1 993 imap.purelymail.com"),
        )
        discovery = discover("lab.example")
        self.assertTrue(discovery.has_moved)
        self.assertIsNone(discovery.best)

    def test_addresses_of_providers_need_no_questions(self) -> None:
        discovery = discover("somebody@gmail.com")
        self.assertEqual(discovery.asked, ())
        assert discovery.best is not None
        self.assertEqual(discovery.best.host, "imap.gmail.com")

    @override_settings(DISCOVERY_REACHES_PRIVATE_NETWORKS=False)
    def test_nothing_in_private_networks_is_asked(self) -> None:
        self.web.pages["autoconfig.lab.example"] = page(FILE)
        discovery = discover("lab.example")
        self.assertEqual(self.web.asked, [])
        self.assertIsNone(discovery.best)
        self.assertIn(
            "private network", self.answers(discovery)["https://autoconfig.lab.example"]
        )

    def test_redirects_are_followed_with_the_same_care(self) -> None:
        self.put_lab(("files", "A", "127.0.0.1"))
        pages = self.web.pages
        pages["files.lab.example"] = page(FILE)
        pages["autoconfig.lab.example"] = redirect("https://files.lab.example/a.xml")
        self.assertEqual(self.found()[0][0], "in.lab.example")
        for url in (
            "http://files.lab.example/a.xml",
            "https://files.lab.example:8443/a.xml",
            "https://127.0.0.1/a.xml",
            "https://localhost/a.xml",
            "https://u:p@files.lab.example/",
            "file:///etc/passwd",
            "https://autoconfig.lab.example/again",
            "//[",
        ):
            with self.subTest(url=url):
                pages["autoconfig.lab.example"] = redirect(url)
                discovery = discover("lab.example")
                self.assertIsNone(discovery.best)
                answer = self.answers(discovery)["https://autoconfig.lab.example"]
                self.assertTrue(answer.startswith("leads "), answer)

    def test_answers_are_bounded_in_size(self) -> None:
        self.web.pages["autoconfig.lab.example"] = page(b"<x>" + b" " * 100_000)
        discovery = discover("lab.example")
        self.assertEqual(
            self.answers(discovery)["https://autoconfig.lab.example"],
            "answers with far too much",
        )

    @pytest.mark.slow
    def test_nobody_waits_longer_than_the_limit(self) -> None:
        over, has_ended = threading.Event(), threading.Event()

        def drip(request: BaseHTTPRequestHandler) -> None:
            request.send_response(200)
            request.end_headers()
            for _ in range(400):
                if over.wait(0.05):
                    return
                request.wfile.write(b" ")
            has_ended.set()

        self.addCleanup(over.set)
        self.web.pages["list.lab.example"] = drip
        self.web.pages["autoconfig.lab.example"] = page(FILE)
        discovery = discover("lab.example", time_limit=1.5)
        self.assertFalse(has_ended.is_set())
        answers = self.answers(discovery)
        self.assertEqual(
            answers["Thunderbird's list, for lab.example"], "no answer in time"
        )
        # What others said in time counts.
        assert discovery.best is not None
        self.assertEqual(discovery.best.host, "in.lab.example")

    def test_a_silent_resolver_is_told(self) -> None:
        self.zones.put("lab.example", [], failure="servfail")
        discovery = discover("lab.example")
        self.assertIsNone(discovery.best)
        self.assertIn(
            "SERVFAIL", self.answers(discovery)["DNS, services of lab.example"]
        )

    def test_what_is_no_address_is_refused(self) -> None:
        for text in ("", "localhost", "127.0.0.1", "a b.example", "com"):
            with self.assertRaises(BadName):
                discover(text)
