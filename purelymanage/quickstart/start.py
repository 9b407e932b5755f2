"""From an empty folder to a panel that answers, and back to nothing running."""

from __future__ import annotations

import contextlib
import errno
import http.client
import json
import os
import secrets
import sys
import time
from pathlib import Path
from typing import Any, TextIO

from purelymanage.environment import BASE_DIR
from purelymanage.quickstart import account, environment, panel, ports
from purelymanage.quickstart.children import MARK, Child, end_marked
from purelymanage.quickstart.folder import Folder, Occupied
from purelymanage.quickstart.postgres import Cluster, PostgresFailed
from purelymanage.quickstart.processes import (
    KeepsFalling,
    StepFailed,
    StopRequested,
    Supervisor,
)

OWNER = "owner@example.org"
DATABASE = "purelymanage"
HEALTHY_TIMEOUT = 90
BEGAN = "QUICKSTART_BEGAN"
UNWRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT)


class NotStarted(Exception):
    """The quickstart cannot go on; the text is a sentence to show."""


PROBLEMS = (
    NotStarted,
    Occupied,
    PostgresFailed,
    account.WrongAccount,
    account.SandboxFailed,
    KeepsFalling,
    StepFailed,
)


class Terminal:
    """Shows the steps as they happen, each with the seconds it took."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._since: float | None = None

    def step(self, label: str) -> None:
        self.end_step()
        self._since = time.monotonic()
        self._write(f"  {label:<28}")

    def end_step(self) -> None:
        if self._since is not None:
            self._write(f"{time.monotonic() - self._since:6.1f} s\n")
            self._since = None

    def break_step(self) -> None:
        """End the line of a step that did not come to its end."""
        if self._since is not None:
            self._write("\n")
            self._since = None

    def say(self, text: str = "") -> None:
        self.break_step()
        self._write(f"{text}\n")

    def _write(self, text: str) -> None:
        # The terminal may be gone by now, and that must not keep us from stopping.
        with contextlib.suppress(OSError, ValueError):
            self._out.write(text)
            self._out.flush()


def beginning(told: str) -> float:
    """Return when deploy/venv.py began, else now; the clock is the whole machine's."""
    now = time.monotonic()
    with contextlib.suppress(ValueError):
        if 0 < float(told) < now:
            return float(told)
    return now


def run(*, port: int, reset: bool, out: TextIO, var: Path = environment.VAR) -> None:
    """Run the panel until somebody asks for its end; raise one of `PROBLEMS`."""
    began = beginning(os.environ.pop(BEGAN, ""))
    terminal = Terminal(out)
    folder = Folder(var)
    # Django's settings have put the contents of the file into our environment.
    given = environment.given(os.environ, environment.read(folder.env))
    given[MARK] = str(folder.path)
    try:
        folder.lock(url=_url(port))
        # What a killed quickstart has left could hold our port and our database.
        end_marked(str(folder.path))
        if why := ports.obstacle(port):
            reason = {
                "taken": "is in use by another program",
                "forbidden": "needs root",
            }
            raise NotStarted(
                f"Port {port} {reason[why]}; choose another one with --port N."
            )
        if reset:
            Cluster(folder.postgres, log=folder.path / "lock").remove()
            folder.empty()
            environment.ensure_secrets(folder.path)
        folder.begin()
        try:
            with Supervisor() as supervisor:
                try:
                    _start(folder, supervisor, terminal, port, given, began)
                    supervisor.watch()
                except StopRequested:
                    terminal.say()
                    terminal.step("Stopping everything")
                finally:
                    folder.put_away_state()
        finally:
            terminal.end_step()
        terminal.say("Stopped. The data are kept for the next start.")
    except OSError as exc:
        if exc.errno not in UNWRITABLE:
            raise
        place = exc.filename or folder.path
        raise NotStarted(f"{place} cannot be written: {exc.strerror}.") from exc
    finally:
        terminal.break_step()
        folder.unlock()


def _start(
    folder: Folder,
    supervisor: Supervisor,
    terminal: Terminal,
    port: int,
    given: dict[str, str],
    began: float,
) -> None:
    kept = environment.read(folder.env)
    env = environment.for_children(given, folder.env)
    kind = account.kind_wanted(given, kept)
    terminal.say(f"PurelyManage in {BASE_DIR}")

    # It takes a while to get ready, so it does that beside the other steps.
    sandbox = account.Sandbox(folder, kept, env) if kind == account.SANDBOX else None
    if sandbox is not None:
        supervisor.start(sandbox.child)

    terminal.step("PostgreSQL")
    cluster = Cluster(folder.postgres, log=folder.log("postgres"))
    supervisor.keep_base(cluster.start(), afterwards=cluster.stop)
    cluster.create_database(DATABASE)
    terminal.end_step()
    if cluster.home != folder.postgres.absolute():
        terminal.say(f"    Its data are in {cluster.home}: its user cannot reach var/.")

    settings = {
        **kept,
        account.KIND: kind,
        "DATABASE_URL": cluster.url(DATABASE),
        "BASE_URL": _url(port),
        "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
        "STATIC_ROOT": str(folder.static),
    }
    settings.setdefault("EMAIL_URL", f"filemail:///{folder.mail}")
    ready: dict[str, Any] | None = None
    if sandbox is not None:
        terminal.step("Demo account")
        ready = sandbox.wait()
        settings |= sandbox.settings(ready)
    else:
        settings |= account.real_settings(given, folder)
    environment.write(folder.env, settings)

    password, unread = _prepare(folder, supervisor, terminal, env)

    terminal.step("Web pages and workers")
    for child in _processes(folder, port, env):
        supervisor.start(child)
    _wait_until_healthy(supervisor, port)
    terminal.end_step()

    shown = {name: ready[name] for name in account.SHOWN} if ready else None
    folder.write_state(
        {"url": _url(port), "email": OWNER, "password": password, "sandbox": shown}
    )
    seconds = time.monotonic() - began
    is_named = {"EMAIL_URL", "EMAIL_URL_FILE"} & set(given)
    keeps_mail = not is_named and settings["EMAIL_URL"].startswith("filemail:")
    _tell(
        terminal,
        port,
        password,
        sandbox=shown,
        unread=unread,
        keeps_mail=keeps_mail,
        seconds=seconds,
    )


def _prepare(
    folder: Folder, supervisor: Supervisor, terminal: Terminal, env: dict[str, str]
) -> tuple[str | None, str]:
    """Make the database ready.

    Return the owner's password where we know it, and why the panel is empty if it is.
    """
    before = folder.last_state()
    # The person may have taken a password of their own, which we do not know.
    own_password = "password" in before and before["password"] is None
    kept = before.get("password")
    order: panel.Order = {
        "email": OWNER,
        "password": kept or secrets.token_urlsafe(15),
        "reset_password": not kept and not own_password,
    }
    notes = []
    unread = ""

    def on_line(line: str) -> None:
        nonlocal unread
        what, _, text = line.partition(" ")
        if what == "step":
            terminal.step(text)
        elif what == "note":
            notes.append(text)
        elif what == "unread":
            unread = text

    supervisor.run(
        [sys.executable, "-m", "purelymanage.quickstart.panel"],
        env=env,
        cwd=BASE_DIR,
        log=folder.log("setup"),
        given=json.dumps(order),
        on_line=on_line,
    )
    terminal.end_step()
    changed = panel.CHANGED in notes
    for note in notes:
        if note != panel.CHANGED:
            terminal.say(f"  {note}")
    return None if changed else order["password"], unread


def _processes(folder: Folder, port: int, env: dict[str, str]) -> list[Child]:
    web = [sys.executable, "-m", "gunicorn"]
    web += ["--config", "python:purelymanage.web_server"]
    for host in ports.loopbacks():
        web += ["--bind", f"[{host}]:{port}" if ":" in host else f"{host}:{port}"]
    web += ["--graceful-timeout", "3"]
    cluster = [sys.executable, "manage.py", "qcluster", "--skip-checks"]
    commands = {
        "web": (web, env),
        "worker": (cluster, env),
        "migrations": (cluster, {**env, "Q_CLUSTER_NAME": "migrations"}),
    }
    return [
        Child(name, command, log=folder.log(name), env=its_env, cwd=BASE_DIR)
        for name, (command, its_env) in commands.items()
    ]


def _wait_until_healthy(supervisor: Supervisor, port: int) -> None:
    deadline = time.monotonic() + HEALTHY_TIMEOUT
    answer = "nothing answers"
    while time.monotonic() < deadline:
        supervisor.look()
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            with contextlib.closing(connection):
                connection.request("GET", "/healthz")
                response = connection.getresponse()
                if response.status == 200:
                    return
                answer = response.read(300).decode(errors="replace")
        time.sleep(0.2)
    reason = " ".join(answer.split())
    raise NotStarted(f"The panel does not become healthy: {reason}")


def _tell(
    terminal: Terminal,
    port: int,
    password: str | None,
    *,
    sandbox: dict[str, Any] | None,
    unread: str,
    keeps_mail: bool,
    seconds: float,
) -> None:
    terminal.say(f"\nReady after {seconds:.1f} s.\n")
    terminal.say(f"  Address   {_url(port)}")
    terminal.say(f"  E-mail    {OWNER}")
    terminal.say(f"  Password  {password or '(the one you chose)'}")
    if unread:
        terminal.say(
            f"\n  The panel is empty: the account could not be read.\n  {unread}\n"
            "  The panel goes on trying and shows on its first page what came of it."
        )
    if sandbox is not None:
        terminal.say(
            f"\n  This is a demo account. To try a migration, copy from the server\n"
            f"  {sandbox['source_imap']} as {sandbox['source_user']}\n"
            f"  with the password {sandbox['source_password']}.\n"
            "  Other mail programs trust it by the authority in "
            "var/sandbox/state/ca.pem.\n"
            "  The domain new.example is there to be added."
        )
    if keeps_mail:
        terminal.say(
            "\n  Mail does not leave this machine: look for invitations in var/mail.\n"
            "  To send it, write an EMAIL_URL as in deploy/env.example into var/env\n"
            "  and start again."
        )
    terminal.say("\n  Ctrl-C stops everything and keeps the data. Logs: var/log\n")


def _url(port: int) -> str:
    return f"http://localhost:{port}"
