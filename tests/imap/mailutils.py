"""A real GNU imap4d of our own, with slashes and one Maildir per folder."""

from __future__ import annotations

from dataclasses import replace

from purelymanage.imap.account import Account
from tests.imap.packages import give_to_nobody
from tests.imap.serving import Unpacked, free_port, wait_for

# One for everybody, as it hashes "secret".
_HASH = (
    "$6$HMZFWCKxTV57lrsr$wBSHHw9oscdluMxqHCpm.3mTRz6eRStOeJhF95/95sBrfYvbZorG7bhAV6EW"
    "58e0dJb1DEcxTvIab6BYSCO1w/"
)


class Mailutils(Unpacked):
    package = "mailutils-imap4d"

    def serve(self) -> None:
        self._home = self.folder / "home"
        self._home.mkdir()
        give_to_nobody(self._home)
        self.port = free_port()
        configuration = self.folder / "imap4d.conf"
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
virtdomain {{ passwd-dir {self.folder}; }};
mailbox {{ mailbox-type maildir; }};
namespace personal {{
  prefix "" {{ mailbox-type maildir; delimiter "/"; directory "${{home}}"; }};
}};
create-home-dir yes;
tcp-wrappers {{ enable no; }};
server 127.0.0.1:{self.port} {{ }};
""")
        program = self.root / "usr/sbin/imap4d"
        words = ["--no-site-config", f"--config-file={configuration}"]
        wait_for(self.port, self.run([program, *words], self.environment))

    def add_user(self, user: str, password: str) -> None:
        """Add a user of the domain `test`; the password is the same for all."""
        super().add_user(user, "secret")
        home = self._home / user
        line = f"{user}:{_HASH}:65534:65534::{home}:/bin/sh\n"
        with (self.folder / "test").open("a") as file:
            file.write(line)

    def account(self, user: str) -> Account:
        return replace(super().account(user), user=f"{user}@test")
