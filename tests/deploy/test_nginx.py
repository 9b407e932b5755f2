from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from typing import Any

import pytest

from purelymanage.environment import BASE_DIR
from purelymanage.quickstart.ports import keep_or_choose
from tests.imap.certificates import make_certificates
from tests.requirements import require_program

MAIN = """
{user}
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


class Panel(ThreadingMixIn, UnixStreamServer):
    """Answers with what it was sent, in place of the panel."""

    daemon_threads = True


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        body = json.dumps(dict(self.headers)).encode()
        self.send_response(200)
        self.send_header("Strict-Transport-Security", "from the panel")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815

    def address_string(self) -> str:
        return "nginx"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@dataclass
class Site:
    folder: Path
    port: int
    plain_port: int
    context: ssl.SSLContext

    def ask(
        self,
        path: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPSConnection(
            "localhost", self.port, context=self.context, timeout=20
        )
        connection.request(method, path, body, headers or {})
        return connection.getresponse()


def write_site(folder: Path) -> Site:
    """Write the configuration as it is installed, with places of our own."""
    authority, certificate, key = make_certificates(folder)
    ports = keep_or_choose(None), keep_or_choose(None)
    source = BASE_DIR / "deploy" / "nginx"
    text = (source / "site.conf").read_text()
    for old, new in {
        "panel.example.org": "localhost",
        "/etc/ssl/certs/panel.pem": str(certificate),
        "/etc/ssl/private/panel.key": str(key),
        "/etc/nginx/snippets/purelymanage-proxy.conf": str(source / "proxy.conf"),
        "/run/purelymanage-web.sock": f"{folder}/panel.sock",
        "/opt/purelymanage/current/var/static/": f"{folder}/static/",
        "/etc/purelymanage/nginx/": f"{folder}/more/",
        "/var/log/nginx/": f"{folder}/",
        "listen 80;": f"listen 127.0.0.1:{ports[0]};",
        "listen 443 ": f"listen 127.0.0.1:{ports[1]} ",
    }.items():
        assert old in text
        text = text.replace(old, new)
    (folder / "site.conf").write_text(re.sub(r"listen \[::\].*", "", text))
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder, user=user))
    static = folder / "static"
    static.mkdir()
    for name in ("base.0123456789ab.css", "base.css", "staticfiles.json"):
        (static / name).write_text("body {}")
    shutil.copytree(BASE_DIR / "static" / "pages", static / "pages")
    context = ssl.create_default_context(cafile=str(authority))
    return Site(folder, ports[1], ports[0], context)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = write_site(tmp_path_factory.mktemp("nginx"))
    panel = Panel(str(site.folder / "panel.sock"), Answer)
    threading.Thread(target=panel.serve_forever, args=(0.02,), daemon=True).start()
    command = [
        require_program("nginx"),
        "-c",
        str(site.folder / "nginx.conf"),
        "-e",
        "stderr",
    ]
    done = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # That a listening socket is there is all we wait for.
    nginx = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        while nginx.poll() is None:
            with socket.socket() as attempt:
                if not attempt.connect_ex(("127.0.0.1", site.port)):
                    break
        yield site
    finally:
        nginx.terminate()
        nginx.wait()
        panel.shutdown()
        panel.server_close()


def test_a_client_cannot_say_where_it_comes_from(site: Site) -> None:
    lies = {
        "X-Forwarded-For": "192.0.2.1",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "evil.example",
        "X-Request-ID": "chosen-by-client",
        "Forwarded": "for=192.0.2.1",
    }
    seen = json.load(site.ask("/", headers=lies))
    assert seen["X-Forwarded-For"] == "127.0.0.1"
    assert seen["X-Forwarded-Proto"] == "https"
    assert seen["X-Request-ID"] != "chosen-by-client"
    assert not {"X-Forwarded-Host", "Forwarded"} & set(seen)


def test_links_that_open_something_are_not_logged(site: Site) -> None:
    for path in ("/gather/sesame-1/", "/welcome/sesame-2/?a=1", "/mailboxes/?q=anna"):
        site.ask(path, headers={"Referer": f"https://localhost{path}"})
    file = site.folder / "purelymanage.log"
    deadline = time.monotonic() + 10  # it is written after the answer
    while "/mailboxes/" not in (log := file.read_text()):
        assert time.monotonic() < deadline, log
        time.sleep(0.01)
    assert '"GET /gather/***"' in log
    assert '"GET /mailboxes/?q=anna"' in log
    assert "sesame" not in log + (site.folder / "purelymanage-error.log").read_text()


def test_hashed_files_are_kept_for_a_year(site: Site) -> None:
    answer = site.ask("/static/base.0123456789ab.css")
    assert answer.read() == b"body {}"
    assert answer.headers["Cache-Control"].endswith("immutable")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    # It would overwrite what pages say, and so whether subdomains are included.
    assert "Strict-Transport-Security" not in answer.headers
    assert "immutable" not in site.ask("/static/base.css").headers["Cache-Control"]
    assert site.ask("/static/staticfiles.json").status == 404


def test_headers_of_the_panel_are_not_doubled(site: Site) -> None:
    headers = site.ask("/").headers
    assert headers.get_all("Strict-Transport-Security") == ["from the panel"]
    assert headers["Server"] == "nginx"


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/migrations/import/", 5_500_000, 200),
        ("/migrations/import/", 6_500_000, 413),
        ("/gather/sesame/", 60_000, 200),
        ("/gather/sesame/", 70_000, 413),
    ],
)
def test_nobody_sends_more_than_is_read(
    site: Site, path: str, size: int, status: int
) -> None:
    answer = site.ask(path, "POST", b"x" * size)
    assert answer.status == status
    assert (b"<h1>That is too much at once</h1>" in answer.read()) == (status == 413)


def test_while_the_panel_is_started_a_page_says_so(site: Site) -> None:
    """It asks for nothing that is not there."""
    panel = site.folder / "panel.sock"
    away = panel.rename(site.folder / "away.sock")
    try:
        answer = site.ask("/gather/sesame/")
        page = answer.read().decode()
    finally:
        away.rename(panel)
    assert answer.status == 502
    assert '<p lang="de">' in page
    for file in re.findall(r'href="/static/([^"]+)"', page):
        assert (BASE_DIR / "static" / file).exists()


def test_plain_http_leads_to_https(site: Site) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", site.plain_port, timeout=20)
    connection.request("GET", "/domains/", headers={"Host": "localhost"})
    answer = connection.getresponse()
    assert answer.status == 308
    assert answer.headers["Location"] == "https://localhost/domains/"


def test_the_place_for_challenges_is_valid(tmp_path: Path) -> None:
    site = write_site(tmp_path)
    text = (BASE_DIR / "deploy" / "nginx" / "challenge.conf").read_text()
    plain = text.replace("listen 80;", f"listen 127.0.0.1:{site.plain_port};")
    (tmp_path / "site.conf").write_text(re.sub(r"listen \[::\].*", "", plain))
    nginx = require_program("nginx")
    done = subprocess.run(
        [nginx, "-t", "-c", str(tmp_path / "nginx.conf"), "-e", "stderr"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
