"""A real Cyrus of our own: dots, a prefix, and a saslauthd that knows our users."""

from __future__ import annotations

import shutil
import socket
import struct
import subprocess
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from purelymanage.imap.account import Account, Security
from tests.imap.listening import free_port, wait_for
from tests.imap.packages import as_nobody, end, give_to_nobody, require_server


@dataclass
class Cyrus:
    """Use it as a context manager; the port is known inside."""

    prefix: str = field(default="INBOX.", init=False)
    separator: str = field(default=".", init=False)
    port: int = field(default=0, init=False)
    users: dict[str, str] = field(default_factory=dict, init=False)

    def __enter__(self) -> Self:
        root, environment = require_server("cyrus-imapd")
        programs = root / "usr/lib/cyrus/bin"
        self._folder = Path(tempfile.mkdtemp(prefix="cyrus-"))
        for name in ("", "conf", "spool", "run"):
            folder = self._folder / name
            folder.mkdir(exist_ok=True)
            folder.chmod(0o755)
            give_to_nobody(folder)
        self.port = free_port()
        self._configure(programs)
        self._guard = socket.socket(socket.AF_UNIX)
        self._guard.bind(str(self._folder / "mux"))
        (self._folder / "mux").chmod(0o666)
        self._guard.listen()
        threading.Thread(target=self._judge, daemon=True).start()
        self._log = (self._folder / "log").open("wb")
        self._process = subprocess.Popen(
            [
                programs / "master",
                "-D",
                *("-C", self._folder / "imapd.conf"),
                *("-M", self._folder / "cyrus.conf"),
                *("-p", self._folder / "run/master.pid"),
            ],
            env=dict(environment),
            stdout=self._log,
            stderr=self._log,
            **as_nobody(),  # type: ignore[call-overload]  # only user and groups
        )
        wait_for(self.port, self._process)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        end(self._process)
        self._guard.close()
        self._log.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def add_user(self, user: str, password: str) -> None:
        self.users[user] = password

    def account(self, user: str) -> Account:
        return Account(
            host="127.0.0.1",
            port=self.port,
            user=user,
            password=self.users[user],
            security=Security.CLEAR,
        )

    def _configure(self, programs: Path) -> None:
        home = self._folder
        (home / "imapd.conf").write_text(f"""
configdirectory: {home}/conf
partition-default: {home}/spool
defaultpartition: default
cyrus_user: nobody
cyrus_group: nogroup
admins: cyrus
allowplaintext: yes
sasl_mech_list: PLAIN
sasl_pwcheck_method: saslauthd
sasl_saslauthd_path: {home}/mux
autocreate_quota: 0
altnamespace: no
unixhierarchysep: no
virtdomains: no
duplicate_db_path: {home}/run/deliver.db
statuscache_db_path: {home}/run/status.db
mboxname_lockpath: {home}/run/lock
proc_path: {home}/run/proc
ptscache_db_path: {home}/run/pts.db
master_pid_file: {home}/run/master.pid
master_ready_file: {home}/run/master.ready
idlesocket: {home}/run/idle
notifysocket: {home}/run/notify
lmtpsocket: {home}/run/lmtp
servername: localhost
""")
        command = f"{programs}/imapd -C {home}/imapd.conf -U 30"
        (home / "cyrus.conf").write_text(f"""
START {{
  recover cmd="{programs}/ctl_cyrusdb -C {home}/imapd.conf -r"
}}
SERVICES {{
  imap cmd="{command}" listen="127.0.0.1:{self.port}" prefork=0 maxchild=100
}}
EVENTS {{
}}
""")

    def _judge(self) -> None:
        """Answer who may log in, in the words of saslauthd."""
        while True:
            try:
                talk, _ = self._guard.accept()
            except OSError:
                return
            with talk:
                words = []
                for _ in range(4):
                    (size,) = struct.unpack("!H", talk.recv(2, socket.MSG_WAITALL))
                    words.append(talk.recv(size, socket.MSG_WAITALL) if size else b"")
                user, password = words[0].decode(), words[1].decode()
                verdict = b"OK" if self.users.get(user) == password else b"NO"
                talk.sendall(struct.pack("!H", len(verdict)) + verdict)
