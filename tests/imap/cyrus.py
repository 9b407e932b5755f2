"""A real Cyrus of our own: dots, a prefix, and a saslauthd that knows our users."""

from __future__ import annotations

import socket
import struct
import threading
from pathlib import Path

from tests.imap.packages import give_to_nobody
from tests.imap.serving import Unpacked, free_port, wait_for


class Cyrus(Unpacked):
    package = "cyrus-imapd"
    prefix = "INBOX."
    separator = "."

    def serve(self) -> None:
        programs = self.root / "usr/lib/cyrus/bin"
        give_to_nobody(self.folder)
        for name in ("conf", "spool", "run"):
            folder = self.folder / name
            folder.mkdir()
            folder.chmod(0o755)
            give_to_nobody(folder)
        self.port = free_port()
        self._configure(programs)
        self._guard = socket.socket(socket.AF_UNIX)
        self._guard.bind(str(self.folder / "mux"))
        (self.folder / "mux").chmod(0o666)
        self._guard.listen()
        threading.Thread(target=self._judge, daemon=True).start()
        process = self.run(
            [
                programs / "master",
                "-D",
                *("-C", self.folder / "imapd.conf"),
                *("-M", self.folder / "cyrus.conf"),
                *("-p", self.folder / "run/master.pid"),
            ],
            self.environment,
        )
        wait_for(self.port, process)

    def end(self) -> None:
        super().end()
        self._guard.close()

    def _configure(self, programs: Path) -> None:
        home = self.folder
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
