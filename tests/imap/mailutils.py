"""A real GNU imap4d of our own, with slashes and one Maildir per folder."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from purelymanage.imap.account import Account, Security
from tests.imap.listening import free_port, wait_for
from tests.imap.packages import as_nobody, end, give_to_nobody, require_server

# One for everybody, as it hashes "secret".
_HASH = (
    "$6$HMZFWCKxTV57lrsr$wBSHHw9oscdluMxqHCpm.3mTRz6eRStOeJhF95/95sBrfYvbZorG7bhAV6EW"
    "58e0dJb1DEcxTvIab6BYSCO1w/"
)


@dataclass
class Mailutils:
    """Use it as a context manager; the port is known inside."""

    prefix: str = field(default="", init=False)
    separator: str = field(default="/", init=False)
    port: int = field(default=0, init=False)
    users: dict[str, str] = field(default_factory=dict, init=False)

    def __enter__(self) -> Self:
        root, environment = require_server("mailutils-imap4d")
        self._folder = Path(tempfile.mkdtemp(prefix="mailutils-"))
        self._folder.chmod(0o755)
        self._home = self._folder / "home"
        self._home.mkdir()
        give_to_nobody(self._home)
        self.port = free_port()
        configuration = self._folder / "imap4d.conf"
        configuration.write_text(f"""
mode daemon;
foreground yes;
pidfile {self._home}/pid;
logging {{ syslog no; }};
auth {{
  authentication clear;
  authentication generic:virtdomain;
  authorization clear;
  authorization virtdomain;
}};
virtdomain {{ passwd-dir {self._folder}; }};
mailbox {{ mailbox-type maildir; }};
namespace personal {{
  prefix "" {{ mailbox-type maildir; delimiter "/"; directory "${{home}}"; }};
}};
create-home-dir yes;
tcp-wrappers {{ enable no; }};
server 127.0.0.1:{self.port} {{ }};
""")
        self._log = (self._folder / "log").open("wb")
        self._process = subprocess.Popen(
            [
                root / "usr/sbin/imap4d",
                "--no-site-config",
                f"--config-file={configuration}",
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
        self._log.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def add_user(self, user: str, password: str) -> None:
        """Add a user of the domain `test`; the password is the same for all."""
        self.users[user] = "secret"
        home = self._home / user
        line = f"{user}:{_HASH}:65534:65534::{home}:/bin/sh\n"
        with (self._folder / "test").open("a") as file:
            file.write(line)

    def account(self, user: str) -> Account:
        return Account(
            host="127.0.0.1",
            port=self.port,
            user=f"{user}@test",
            password=self.users[user],
            security=Security.CLEAR,
        )
