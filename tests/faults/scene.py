"""A running panel with somebody who looks at it, and ways to find out what is true."""

from __future__ import annotations

import html
import imaplib
import json
import os
import re
import secrets
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import requests

from purelymanage.environment import BASE_DIR
from purelymanage.quickstart import environment
from tests.faults.processes import Processes, wait_until
from tests.panel import Panel
from tests.visitor import Visitor

TAGS = re.compile(r"<[^>]+>")
TITLES = re.compile(r'<p class="strong">(.*?)</p>', re.DOTALL)
HEADING = re.compile(r"<h1[^>]*>(.*?)</h1>", re.DOTALL)
AGREE = "both sides were counted and agree"
PASSWORD = "Faults-happen-7f3e-anyway"  # of mailboxes made here
OWN_DOMAIN = "example.org"


@dataclass(frozen=True)
class Seen:
    """An answer as a person sees it, and how long it took."""

    status: int
    text: str
    seconds: float

    @property
    def heading(self) -> str:
        found = HEADING.search(self.text)
        return plain(found[1]) if found else ""

    @property
    def findings(self) -> list[str]:
        return [plain(it) for it in TITLES.findall(self.text)]


class Scene:
    """What tests and the command do with a panel. A context manager."""

    def __init__(self, panel: Panel) -> None:
        self.panel = panel
        self.processes = Processes(panel)
        self.env = environment.read(panel.env_file)
        self.visitor = Visitor(panel)

    def __enter__(self) -> Scene:
        self.visitor.__enter__()
        return self

    def __exit__(self, *raised: Any) -> None:
        self.visitor.__exit__(*raised)

    # What people see

    def sign_in_again(self) -> None:
        self.visitor.http.close()
        self.visitor = Visitor(self.panel)
        self.visitor.__enter__()

    def look(self, path: str, *, patience: float = 30) -> Seen:
        began = time.monotonic()
        r = self.visitor.http.get(self.panel.url + path, timeout=patience)
        return Seen(r.status_code, r.text, time.monotonic() - began)

    def health(self) -> dict[str, Any]:
        """Return what /healthz says, with its status and how long it took."""
        began = time.monotonic()
        # Nobody's session: programs ask without.
        r = requests.get(f"{self.panel.url}/healthz", timeout=30)
        told: dict[str, Any] = json.loads(r.text)
        seconds = time.monotonic() - began
        return {**told, "status": r.status_code, "seconds": seconds}

    def is_well(self) -> bool:
        try:
            if self.health()["status"] != 200:
                return False
            return self.look("/mailboxes/").status == 200
        except requests.RequestException:
            return False

    def until_ready(self) -> None:
        """Wait for what may be left of the fault before."""

        def is_ready() -> bool:
            try:
                return bool(self.health()["status"] == 200)
            except requests.RequestException:
                return False

        wait_until(is_ready)

    def until_well(self) -> float:
        return wait_until(self.is_well)

    # What people do

    def send_mailbox(self, local: str, token: str = "") -> requests.Response:
        """Send the form for a new mailbox, which may have been opened before."""
        form = {
            "local_part": local,
            "domain": OWN_DOMAIN,
            "password": PASSWORD,
            "reset_allowed": "on",
        }
        if not token:
            return self.visitor.post("/mailboxes/new/", **form)
        path = f"{self.panel.url}/mailboxes/new/"
        return self.visitor.http.post(
            path,
            data={"csrfmiddlewaretoken": token, **form},
            headers={"Referer": path},
            timeout=90,
        )

    @contextmanager
    def sending_mailbox(self, local: str, token: str) -> Iterator[list[str]]:
        """Send the form beside what else is done; in the list is what came of it."""
        came: list[str] = []

        def send() -> None:
            try:
                came.append(str(self.send_mailbox(local, token).status_code))
            except requests.RequestException as exc:
                came.append(type(exc).__name__)

        thread = threading.Thread(target=send)
        thread.start()
        try:
            yield came
        finally:
            thread.join()

    def request_deletion(self, address: str) -> None:
        path = f"/deletions/new/mailbox/{address}/"
        hidden = re.findall(
            r'type="hidden" name="(shown|key)" value="([^"]*)"', self.look(path).text
        )
        form = {name: html.unescape(value) for name, value in hidden}
        self.visitor.post(path, confirm=address, reason="a fault", **form)

    def form_token(self) -> str:
        found = re.search(
            r'name="csrfmiddlewaretoken" value="([^"]+)"',
            self.look("/mailboxes/new/").text,
        )
        assert found
        return found[1]

    def new_address(self) -> str:
        return f"fault{secrets.token_hex(3)}"

    def begin_copy(self) -> tuple[str, str]:
        """Start a copy of the demo's mailbox; return the job's path and the address."""
        local = self.new_address()
        self.send_mailbox(local)
        address = f"{local}@{OWN_DOMAIN}"
        server = self.visitor.add_server(f"Provider of {local}")
        path = self.visitor.plan_copy(server, address)
        self.visitor.post(f"{path}run/", at=path, kind="copy")
        self.visitor.wait_for(path, "Copying", AGREE)
        return path, address

    # What is true

    def query(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask the panel's database, or change it as nobody but a test may."""
        with psycopg.connect(self.env["DATABASE_URL"], autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=self.panel.folder,
            env={"PATH": os.environ["PATH"], "ENV_FILE": str(self.panel.env_file)},
            capture_output=True,
            text=True,
            check=False,
        )

    def hour(self, *only: str) -> Counter[str]:
        """Let an hour of scheduled work pass at once, and count the calls it made."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults.hour", *(only and ("--only", *only))],
            cwd=BASE_DIR,
            env={
                "PATH": os.environ["PATH"],
                "ENV_FILE": str(self.panel.env_file),
                "DJANGO_SETTINGS_MODULE": "purelymanage.settings",
                "EMAIL_URL": os.environ.get("EMAIL_URL", ""),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return Counter(json.loads(done.stdout.splitlines()[-1]))

    def outside(self, method: str, what: str, **body: Any) -> dict[str, Any]:
        """Ask or change the world around the panel."""
        url = f"{self.panel.sandbox['api_url']}/sandbox/{what}"
        answer = requests.request(method, url, json=body, timeout=30)
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        return told

    def remote_mailboxes(self) -> list[str]:
        url = f"{self.panel.sandbox['api_url']}/api/v0/listUser"
        headers = {"Purelymail-Api-Token": self.panel.sandbox["api_token"]}
        answer = requests.post(url, json={}, headers=headers, timeout=30).json()
        found: list[str] = answer["result"]["users"]
        return found

    def read_account(self, *, after_crash: bool = False) -> None:
        """Ask for a sync and wait until one has begun since, and is over.

        After a crash, what was left behind is believed to be lost after ten minutes, and
        tasks are delivered once more after five: they have passed.
        """
        if after_crash:
            late = "UPDATE domains_syncrun SET started_at = now() - interval '1 hour'"
            self.query(f"{late} WHERE state IN ('queued', 'running')")
            self.query("UPDATE django_q_ormq SET lock = now() WHERE key = 'default'")
        ended = "SELECT id FROM domains_syncrun WHERE state = 'done'"
        open_ones = (
            "SELECT id FROM domains_syncrun WHERE state IN ('queued', 'running')"
        )
        before = self.query(ended)
        self.visitor.post("/domains/sync/", at="/domains/")
        wait_until(
            lambda: not self.query(open_ones) and bool({*self.query(ended)} - {*before})
        )

    def prove_mailbox(self, local: str) -> None:
        """Assert that a mailbox is there once: at PurelyMail and in the panel."""
        address = f"{local}@{OWN_DOMAIN}"
        assert self.remote_mailboxes().count(address) == 1, address
        sql = "SELECT count(*) FROM mailboxes_mailbox WHERE address = %s"
        assert self.query(sql + " AND gone_at IS NULL", address) == [(1,)], address

    def prove_copy(self, path: str, address: str) -> None:
        """Wait for the end of a copy and assert that both mailboxes are equal."""
        self.visitor.wait_for(path, AGREE, seconds=300)
        source, target = self.panel.sandbox["source_imap"], self.panel.sandbox
        there = mail_in(
            source, target["source_user"], target["source_password"], skip=False
        )
        here = mail_in(target["destination_imap"], address, PASSWORD, skip=True)
        assert there == here, f"{there.total()} and {here.total()} messages"

    def prove_audit(self) -> None:
        done = self.manage("verify_audit")
        assert done.returncode == 0, done.stdout + done.stderr


def mail_in(where: str, user: str, password: str, *, skip: bool) -> Counter[bytes]:
    """Return the messages of a mailbox by their Message-ID, as often as they are there."""
    host, _, port = where.rpartition(":")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    found: Counter[bytes] = Counter()
    with imaplib.IMAP4_SSL(host, int(port), ssl_context=context) as imap:
        imap.login(user, password)
        for line in imap.list()[1]:
            assert isinstance(line, bytes)
            if rb"\Noselect" in line:
                continue
            name = re.sub(rb'^\(.*?\) (?:"[^"]*"|NIL) ', b"", line).decode()
            imap.select(name, readonly=True)
            _, parts = imap.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")
            heads = [it[1] for it in parts if isinstance(it, tuple)]
            found.update(b" ".join(head.split()) for head in heads)
    return found


@contextmanager
def told_within(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    passed = time.monotonic() - began
    assert passed < seconds, f"It took {passed:.1f} seconds."


def plain(text: str) -> str:
    return " ".join(html.unescape(TAGS.sub(" ", text)).split())
