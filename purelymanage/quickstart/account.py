"""Which PurelyMail account a quickstart works with: the stand-in or a real one."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from purelymanage.environment import BASE_DIR
from purelymanage.quickstart import environment, ports
from purelymanage.quickstart.children import Child
from purelymanage.quickstart.folder import Folder

# Kept in `var/env`, so that a folder stays with the account whose mirror it holds.
KIND = "QUICKSTART_ACCOUNT"
PORTS = "QUICKSTART_SANDBOX_PORTS"
SANDBOX, REAL = "sandbox", "purelymail"
READY_TIMEOUT = 90
SHOWN = (
    "api_url",
    "api_token",
    "dns",
    "source_imap",
    "source_user",
    "source_password",
    "destination_imap",
)


class WrongAccount(Exception):
    """The folder belongs to another account; the text is a sentence to show."""


class SandboxFailed(Exception):
    """The stand-in did not start; the text is a sentence to show."""


def kind_wanted(given: Mapping[str, str], kept: Mapping[str, str]) -> str:
    """Return which account to use: a token means a real one, for good.

    Mirror, pending deletions and jobs of one account must never act on another.
    """
    has_token = bool(
        given.get("PURELYMAIL_API_TOKEN") or given.get("PURELYMAIL_API_TOKEN_FILE")
    )
    before = kept.get(KIND)
    if has_token and before == SANDBOX:
        raise WrongAccount(
            "This folder holds the data of the demo account. To use the account that "
            "your token belongs to, start with --reset or in another clone."
        )
    return REAL if has_token else before or SANDBOX


def real_settings(given: Mapping[str, str], folder: Folder) -> dict[str, str]:
    """Return the settings for a real account, the token in a file of its own."""
    names = (
        "PURELYMAIL_API_URL",
        "PURELYMAIL_IMAP_HOST",
        "PURELYMAIL_IMAP_PORT",
        "IMAP_CA_FILE",
        "DNS_RESOLVERS",
    )
    settings = {name: given[name] for name in names if name in given}
    if token := given.get("PURELYMAIL_API_TOKEN"):
        environment.write_private(folder.token, token + "\n")
        settings["PURELYMAIL_API_TOKEN_FILE"] = str(folder.token)
    elif path := given.get("PURELYMAIL_API_TOKEN_FILE"):
        settings["PURELYMAIL_API_TOKEN_FILE"] = str(Path(path).absolute())
    return settings


class Sandbox:
    """The stand-in account, at the same ports from start to start where possible."""

    def __init__(
        self, folder: Folder, kept: Mapping[str, str], env: Mapping[str, str]
    ) -> None:
        folder.sandbox.mkdir(mode=0o700, exist_ok=True)
        self._ready = folder.sandbox / "ready.json"
        self._ready.unlink(missing_ok=True)
        self._token = folder.sandbox / "token"
        before = [int(part) for part in kept.get(PORTS, "0,0,0,0").split(",")]
        self._ports = [
            ports.keep_or_choose(before[0]),
            ports.keep_or_choose(before[1], udp_too=True),
            *map(ports.keep_or_choose, before[2:4]),
        ]
        api, dns, source, destination = map(str, self._ports)
        self.child = Child(
            "sandbox",
            [
                *(sys.executable, "manage.py", "sandbox"),
                *("--state", str(folder.sandbox / "state")),
                *("--token-file", str(self._token)),
                *("--ready-file", str(self._ready)),
                *("--api-port", api),
                *("--dns-port", dns),
                *("--source-imap-port", source),
                *("--destination-imap-port", destination),
            ],
            log=folder.log("sandbox"),
            env=env,
            cwd=BASE_DIR,
            stop_signal=signal.SIGTERM,
        )

    def wait(self) -> dict[str, Any]:
        """Wait until everything answers and return where."""
        deadline = time.monotonic() + READY_TIMEOUT
        while not self._ready.exists():
            if not self.child.is_alive() or time.monotonic() > deadline:
                raise SandboxFailed(
                    f"The demo account did not start; {self.child.log} says why."
                )
            time.sleep(0.05)
        answer: dict[str, Any] = json.loads(self._ready.read_text(encoding="utf-8"))
        return answer

    def settings(self, ready: Mapping[str, Any]) -> dict[str, str]:
        host, _, port = str(ready["destination_imap"]).rpartition(":")
        return {
            PORTS: ",".join(map(str, self._ports)),
            "PURELYMAIL_API_URL": str(ready["api_url"]),
            "PURELYMAIL_API_TOKEN_FILE": str(self._token),
            "PURELYMAIL_IMAP_HOST": host,
            "PURELYMAIL_IMAP_PORT": port,
            "IMAP_CA_FILE": str(ready["ca_file"]),
            "DNS_RESOLVERS": str(ready["dns"]),
        }
