"""What somebody wants, from the command line and from the last time."""

from __future__ import annotations

import argparse
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from deploy.backups import terminal
from deploy.installation import places
from deploy.installation.machine import Failed

DOMAIN = re.compile(r"(?!-)[a-z0-9-]{1,63}(\.(?!-)[a-z0-9-]{1,63})+")
BASE_URL = re.compile(r"^BASE_URL=['\"]?([^'\"\s]+)", re.MULTILINE)


@dataclass(frozen=True)
class Choices:
    """How the machine is set up; kept, so that an upgrade needs no options."""

    domain: str
    from_email: str
    # nginx, or none where another web server stands in front.
    web: str
    # The files of a certificate; without them one is fetched by certbot.
    certificate: str = ""
    certificate_key: str = ""
    certbot_email: str = ""

    @property
    def certificate_files(self) -> tuple[Path, Path]:
        if self.certificate:
            return Path(self.certificate), Path(self.certificate_key)
        folder = Path("/etc/letsencrypt/live") / self.domain
        return folder / "fullchain.pem", folder / "privkey.pem"

    def as_text(self) -> str:
        return json.dumps(asdict(self), indent=2) + "\n"


def parser() -> argparse.ArgumentParser:
    it = argparse.ArgumentParser(
        prog="deploy/install",
        description="Puts the panel into production on this machine: Debian 12 and 13, "
        "Ubuntu 22.04 and 24.04. Run it again, from a newer tree, to upgrade; what was "
        "chosen before need not be said again.",
    )
    it.add_argument("--domain", help="where people reach the panel: panel.example.org")
    it.add_argument(
        "--certbot-email",
        metavar="EMAIL",
        help="fetch a certificate from "
        "Let's Encrypt, which writes to this address if it cannot be renewed",
    )
    it.add_argument(
        "--certificate",
        metavar="FILE",
        type=terminal.path,
        help="use this certificate (chain)",
    )
    it.add_argument(
        "--certificate-key",
        metavar="FILE",
        type=terminal.path,
        help="its private key",
    )
    it.add_argument(
        "--no-nginx",
        action="store_true",
        help="set up no web server: yours leads to the panel's socket",
    )
    it.add_argument("--from-email", metavar="EMAIL", help="who sends the panel's mail")
    it.add_argument(
        "--token-file",
        metavar="FILE",
        type=terminal.path,
        help="the API token of PurelyMail; without it, you are asked",
    )
    it.add_argument(
        "--email-url-file",
        metavar="FILE",
        type=terminal.path,
        help="the mail server, as smtp+tls://user:password@host:587",
    )
    it.add_argument(
        "--database-url-file",
        metavar="FILE",
        type=terminal.path,
        help="a PostgreSQL elsewhere, as postgres://user:password@host/name",
    )
    it.add_argument(
        "--dry-run", action="store_true", help="only say what would be done"
    )
    it.add_argument(
        "--rollback",
        action="store_true",
        help="go back to the release before, and nothing else",
    )
    return it


def choose(given: argparse.Namespace) -> Choices:
    """Return what was chosen now or else before, or raise Failed with a sentence."""
    kept: dict[str, str] = {}
    if places.CHOICES.exists():
        kept = json.loads(places.CHOICES.read_text(encoding="utf-8"))
    domain = (given.domain or kept.get("domain", "")).lower().rstrip(".")
    if not domain:
        raise Failed("Say where people reach the panel: --domain panel.example.org")
    if not DOMAIN.fullmatch(domain):
        raise Failed(f"{domain} is no domain name: --domain panel.example.org")

    if kept:
        _refuse_what_settings_say(given, kept, domain)

    if given.certificate or given.certificate_key or given.certbot_email:
        if given.no_nginx:
            raise Failed(
                "A certificate is for nginx: with --no-nginx, the web server in front "
                "has its own."
            )
        # Another certificate replaces what was chosen before, and is there for nginx.
        kept = {
            name: it
            for name, it in kept.items()
            if name != "web" and not name.startswith("cert")
        }
    choices = Choices(
        domain=domain,
        from_email=given.from_email or kept.get("from_email", f"panel@{domain}"),
        web="none" if given.no_nginx else kept.get("web", "nginx"),
        certificate=_absolute(given.certificate) or kept.get("certificate", ""),
        certificate_key=_absolute(given.certificate_key)
        or kept.get("certificate_key", ""),
        certbot_email=given.certbot_email or kept.get("certbot_email", ""),
    )
    if bool(choices.certificate) != bool(choices.certificate_key):
        raise Failed("--certificate and --certificate-key belong together.")
    if choices.web == "nginx" and not (choices.certificate or choices.certbot_email):
        raise Failed(
            "The panel is reached by https only: give --certbot-email EMAIL to fetch a "
            "certificate, --certificate and --certificate-key to use one, or --no-nginx "
            "where another web server stands in front."
        )
    return choices


def _refuse_what_settings_say(
    given: argparse.Namespace, kept: dict[str, str], domain: str
) -> None:
    """Refuse options for the first time alone, as settings are not written again."""
    if given.from_email and given.from_email != kept.get("from_email"):
        raise Failed(
            "--from-email counts the first time alone. Change DEFAULT_FROM_EMAIL in "
            f"{places.ENV}, then: systemctl restart 'purelymanage-*.service'"
        )
    if domain == kept.get("domain"):
        return
    try:
        found = BASE_URL.search(places.ENV.read_text(encoding="utf-8"))
    except OSError:
        return  # a dry run of somebody else, or settings that are to be made
    if not found or urlsplit(found[1]).hostname != domain:
        raise Failed(
            f"The panel was installed for {kept.get('domain')}. To move it, change "
            f"BASE_URL and ALLOWED_HOSTS in {places.ENV} to {domain} first, and say "
            "this again. Passkeys are bound to a domain and have to be added anew."
        )


def _absolute(path: Path | None) -> str:
    return str(path.resolve()) if path else ""
