"""A real Dovecot of our own: private folder, free ports, any users we like."""

from __future__ import annotations

import base64
import getpass
import grp
import imaplib
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from purelymanage.imap import names
from purelymanage.imap.account import Account, Security
from tests.imap.certificates import make_certificates
from tests.requirements import require_program

_SPECIAL_USE = """
  mailbox Drafts {
    special_use = \\Drafts
  }
  mailbox Sent {
    special_use = \\Sent
  }
  mailbox Junk {
    special_use = \\Junk
  }
  mailbox Trash {
    special_use = \\Trash
  }
"""

# Compression for those who ask for it.
COMPRESSING = """
mail_plugins = $mail_plugins zlib
protocol imap {
  mail_plugins = $mail_plugins imap_zlib
}
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """A message as it lies on a server, or is to lie there."""

    body: bytes
    flags: frozenset[str] = frozenset()
    # As IMAP writes it, such as "17-Jul-1996 02:44:25 -0700".
    date: str = "01-Feb-2020 03:04:05 +0000"


@dataclass
class Dovecot:
    """Use it as a context manager; the addresses are known inside."""

    layout: str = "fs"
    separator: str = "/"
    prefix: str = ""
    special_use: bool = True
    # Lines to add to the configuration.
    extra: str = ""
    host: str = field(default="127.0.0.1", init=False)
    port: int = field(default=0, init=False)
    tls_port: int = field(default=0, init=False)
    ca_file: str = field(default="", init=False)
    users: dict[str, str] = field(default_factory=dict, init=False)

    def __enter__(self) -> Self:
        self._program = require_program("dovecot")
        self._folder = Path(tempfile.mkdtemp(prefix="dovecot-"))
        # The mail processes are not root and have to get in.
        self._folder.chmod(0o755)
        authority, certificate, key = make_certificates(self._folder)
        self.ca_file = str(authority)
        self._mail = self._folder / "mail"
        self._mail.mkdir()
        if os.geteuid() == 0:
            shutil.chown(self._mail, *_mail_owner())
        (self._folder / "users").mkdir()
        # A port that was free may be taken by the time Dovecot wants it.
        for attempt in range(3):
            self._configure(certificate, key)
            if self.start():
                return self
            self.stop()
            if attempt == 2:
                log = self._folder / "dovecot.log"
                text = log.read_text() if log.exists() else "no log"
                shutil.rmtree(self._folder, ignore_errors=True)
                raise RuntimeError(f"dovecot did not start: {text}")
        raise AssertionError

    def __exit__(self, *reason: object) -> None:
        # Nobody waits for a farewell, for which it would take a second.
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> bool:
        """Serve, at the same ports as before, and tell whether that worked."""
        self._process = subprocess.Popen(
            [self._program, "-F", "-c", str(self._folder / "dovecot.conf")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
        return self._answers()

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def add_user(self, user: str, password: str) -> None:
        self.users[user] = password
        # A file for each, as Dovecot looks at a known file once a second only. A
        # password may hold any character, colons and blanks too.
        secret = base64.b64encode(password.encode()).decode()
        path = self._folder / "users" / user
        path.write_text(f"{user}:{{PLAIN.b64}}{secret}\n")
        path.chmod(0o644)

    def account(self, user: str, *, security: Security = Security.TLS) -> Account:
        return Account(
            host=self.host,
            port=self.tls_port if security == Security.TLS else self.port,
            user=user,
            password=self.users[user],
            security=security,
            ca_file=self.ca_file,
        )

    def maildir(self, user: str) -> Path:
        return self._mail / user

    def own(self, user: str) -> None:
        """Give files that were written past Dovecot to its mail processes."""
        if os.geteuid() == 0:
            for path in [self.maildir(user), *self.maildir(user).rglob("*")]:
                shutil.chown(path, *_mail_owner())

    def log(self) -> str:
        return (self._folder / "dovecot.log").read_text()

    def connect(self, user: str) -> imaplib.IMAP4:
        """Log in past our own code, to see what is really there."""
        # Lines of a header fetch may be longer than imaplib likes.
        imaplib._MAXLINE = 10_000_000  # type: ignore[attr-defined]
        client = imaplib.IMAP4(self.host, self.port)
        # It sends messages in several pieces, and would wait 40 ms after the first.
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        password = self.users[user]
        client.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())
        return client

    def seed(self, user: str, folders: Mapping[str, Iterable[Stored]]) -> None:
        """Create folders, named as people write them, and fill them."""
        client = self.connect(user)
        for name, messages in folders.items():
            wire = _quoted(name)
            if name.upper() != "INBOX":
                client.create(wire)
                client.subscribe(wire)
            # All in one command: a few thousand messages take a second.
            command = bytearray(b"S1 APPEND " + wire.encode("ascii"))
            stored = 0
            for message in messages:
                flags = " ".join(sorted(message.flags))
                size = len(message.body)
                command += f' ({flags}) "{message.date}" {{{size}+}}\r\n'.encode()
                command += message.body
                stored += 1
            if stored:
                client.sock.sendall(command + b"\r\n")
                while not (line := client.readline()).startswith(b"S1 "):
                    assert line, "the connection was closed"
                assert line.startswith(b"S1 OK"), line
        client.logout()

    def folders(self, user: str) -> list[str]:
        """Return the names of all selectable folders."""
        client = self.connect(user)
        found = []
        for line in client.list()[1]:
            listed = line if isinstance(line, bytes) else b"".join(line or ())
            parsed = re.match(rb'\(([^)]*)\) (?:"."|NIL) (?:\{\d+\})?(.*)', listed)
            assert parsed is not None, listed
            if b"\\Noselect" not in parsed[1] and b"\\NonExistent" not in parsed[1]:
                wire = parsed[2]
                if wire.startswith(b'"'):
                    wire = re.sub(rb"\\(.)", rb"\1", wire[1:-1])
                found.append(names.decode(wire))
        client.logout()
        return sorted(found)

    def contents(self, user: str, folder: str) -> list[Stored]:
        """Return all messages of a folder, in its order."""
        client = self.connect(user)
        state, answer = client.select(_quoted(folder), readonly=True)
        assert state == "OK", answer
        _, lines = client.uid("FETCH", "1:*", "(FLAGS INTERNALDATE BODY.PEEK[])")
        found = []
        for line in lines:
            if isinstance(line, tuple):
                head, body = line
                flags = re.search(rb"FLAGS \(([^)]*)\)", head)
                date = re.search(rb'INTERNALDATE "([^"]*)"', head)
                assert flags is not None
                assert date is not None
                found.append(
                    Stored(
                        body,
                        frozenset(flags[1].decode().split()) - {"\\Recent"},
                        date[1].decode(),
                    )
                )
        client.logout()
        return found

    def _configure(self, certificate: Path, key: Path) -> None:
        self.port, self.tls_port = _free_ports(2)
        owner, group = _mail_owner()
        internal, login = owner, owner
        unprivileged = "".join(
            f"service {name} {{\n  chroot =\n}}\n"
            for name in ("anvil", "imap-login", "stats", "ipc", "dns-client")
        )
        if os.geteuid() == 0:
            internal, login, unprivileged = "dovecot", "dovenull", ""
        internal_group = grp.getgrgid(pwd.getpwnam(internal).pw_gid).gr_name
        layout = ":LAYOUT=fs" if self.layout == "fs" else ""
        text = f"""
base_dir = {self._folder}/run
state_dir = {self._folder}/run
log_path = {self._folder}/dovecot.log
protocols = imap
listen = {self.host}
default_internal_user = {internal}
default_internal_group = {internal_group}
default_login_user = {login}
{unprivileged}
service imap-login {{
  inet_listener imap {{
    port = {self.port}
  }}
  inet_listener imaps {{
    port = {self.tls_port}
    ssl = yes
  }}
}}
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
ssl_dh =
disable_plaintext_auth = no
auth_mechanisms = plain
auth_failure_delay = 0
auth_username_chars =
mail_max_userip_connections = 100
first_valid_uid = 1
mail_location = maildir:{self._mail}/%u{layout}
mail_fsync = never
# Without it, a wrong password makes the next log-in wait for seconds.
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
passdb {{
  driver = passwd-file
  args = {self._folder}/users/%u
}}
userdb {{
  driver = static
  args = uid={owner} gid={group} home={self._mail}/%u
}}
namespace inbox {{
  inbox = yes
  separator = {self.separator}
  prefix = {self.prefix}
{_SPECIAL_USE if self.special_use else ""}
}}
{self.extra}
"""
        (self._folder / "dovecot.conf").write_text(text)

    def _answers(self) -> bool:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with socket.create_connection((self.host, self.tls_port), timeout=1):
                    return True
            except OSError:
                time.sleep(0.02)
        return False


def _mail_owner() -> tuple[str, str]:
    """Return user and group of the mail; Dovecot refuses to serve root's."""
    user = "nobody" if os.geteuid() == 0 else getpass.getuser()
    return user, grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [sock.getsockname()[1] for sock in sockets]
    for sock in sockets:
        sock.close()
    return ports


def _quoted(name: str) -> str:
    quoted = names.quote(names.encode(name))
    assert quoted is not None
    return quoted.decode("ascii")
