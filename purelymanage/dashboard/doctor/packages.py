"""Whether holes are known in the packages that the panel is made of."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, timedelta
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format

from purelymanage.dashboard.doctor.results import (
    Check,
    Result,
    attention,
    broken,
    good,
)
from purelymanage.environment import BASE_DIR

LOCK = BASE_DIR / "deploy" / "requirements.lock"
# Some have the day on which they were made as their version. The latest of these is
# when all were renewed, but for a few weeks.
DATED = re.compile(
    r"^\S+==(?:\S*\.)?(20\d\d)(?:\.(\d\d?)\.(\d\d?)|(\d\d)(\d\d))\s", re.MULTILINE
)
OLD = timedelta(days=90)
# It asks a service on the internet for each package.
AUDIT = ("--disable-pip", "--require-hashes", "--progress-spinner", "off")
AUDIT_SECONDS = 45
PASSED_ON = ("PATH", "HOME", "https_proxy", "HTTPS_PROXY", "SSL_CERT_FILE")
RENEW = "Install a newer version of the panel."


def checks() -> list[Check]:
    return [Check("packages", _packages, seconds=AUDIT_SECONDS + 5)]


def _packages() -> Iterator[Result]:
    subject = "packages"
    audited = _audited()
    if holes := [
        f"{it['name']} {it['version']} ({', '.join(hole['id'] for hole in it['vulns'])})"
        for it in audited
        if it["vulns"]
    ]:
        yield broken(subject, f"Holes are known in {', '.join(holes)}.", RENEW)
    elif audited:
        yield good(subject, f"pip-audit knows no hole in any of the {len(audited)}.")
    else:
        yield _age(subject)


def _age(subject: str) -> Result:
    renewed = renewed_on(LOCK.read_text(encoding="utf-8"))
    if renewed is None:
        return attention(subject, "It cannot be told how old they are.", RENEW)
    age = timezone.now().date() - renewed
    sentence = f"They were renewed {age.days} days ago, around {date_format(renewed, 'j F Y')}."
    if age > OLD:
        return attention(
            subject, sentence, f"{RENEW} Where pip-audit is installed, it is asked."
        )
    return good(subject, sentence)


def renewed_on(lock: str) -> date | None:
    """Return the latest day that a version names."""
    found = []
    for match in DATED.finditer(lock):
        with suppress(ValueError):
            found.append(date(*(int(part) for part in match.groups() if part)))
    return max(found, default=None)


def _audited() -> list[dict[str, Any]]:
    """Return what is known of each package; nothing where any cannot be looked up."""
    program = shutil.which("pip-audit")
    if not program:
        return []
    try:
        done = subprocess.run(
            [program, *AUDIT, "--format", "json", "--requirement", LOCK],
            env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=AUDIT_SECONDS,
            check=False,
        )
        found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError):
        return []
    # Without its service, it says that none could be found, and that all is well.
    return found if all("vulns" in it for it in found) else []
