"""What runs: the services of systemd, and nginx in front of them."""

from __future__ import annotations

import http.client
import json
import socket
import time
from pathlib import Path

from deploy.installation import places
from deploy.installation.choices import Choices
from deploy.installation.machine import Failed, Machine
from deploy.installation.preflight import System

UNITS = [
    "purelymanage-web.socket",
    *(f"purelymanage-{name}.service" for name in places.SERVICES),
]
HEALTHY_WITHIN = 90
SITE = "purelymanage.conf"


def install_units(machine: Machine, release: Path, system: System) -> None:
    machine.step("Services")
    source = release if release.exists() else places.SOURCE
    folder = source / "deploy" / "systemd"
    changed = False
    for path in sorted(it for it in folder.rglob("*") if it.is_file()):
        text = path.read_text(encoding="utf-8")
        changed |= machine.write(places.UNITS / path.relative_to(folder), text)
    if changed and system.has_systemd:
        machine.run("systemctl", "daemon-reload")
    machine.link(places.COMMAND, places.CURRENT / "deploy" / "manage")


def start(machine: Machine, system: System) -> None:
    """Start everything, or start it anew with the release that is in use now."""
    timers = [it.name for it in (places.SOURCE / "deploy/systemd").glob("*.timer")]
    if not system.has_systemd:
        machine.note("Without systemd, nothing is started.")
        return
    machine.run("systemctl", "enable", "--quiet", *UNITS, *timers)
    machine.run("systemctl", "start", "purelymanage-web.socket", *timers)
    machine.run("systemctl", "restart", *UNITS[1:])


def wait_until_healthy(machine: Machine, domain: str) -> None:
    """Ask the panel itself, past nginx."""
    if not machine.will(
        "wait", f"until https://{domain}/healthz says that all is well"
    ):
        return
    deadline = time.monotonic() + HEALTHY_WITHIN
    answer = "nothing answers"
    while time.monotonic() < deadline:
        try:
            status, answer = _ask_for_health(domain)
        except (OSError, http.client.HTTPException) as exc:
            answer = str(exc)
        else:
            if status == http.HTTPStatus.OK:
                return
        time.sleep(1)
    raise Failed(
        f"The panel is not well after {HEALTHY_WITHIN} seconds: {answer}\n"
        "journalctl -u 'purelymanage-*' -n 50 says more. Where this was an upgrade, "
        "./deploy/install --rollback goes back."
    )


def set_up_nginx(machine: Machine, choices: Choices, system: System) -> None:
    machine.step("Web server")
    source = places.SOURCE / "deploy" / "nginx"
    headers = (source / "proxy.conf").read_text(encoding="utf-8")
    machine.write(places.NGINX / "snippets/purelymanage-proxy.conf", headers)
    site = places.NGINX / "sites-available" / SITE
    enabled = places.NGINX / "sites-enabled" / SITE
    if not choices.certificate and not choices.certificate_files[0].exists():
        # Let's Encrypt asks by plain http whether the domain is ours.
        machine.folder(places.CHALLENGES, 0o755)
        machine.write(site, _filled("challenge.conf", choices))
        machine.link(enabled, site)
        _reload(machine, system)
        machine.run(
            *("certbot", "certonly", "--non-interactive", "--agree-tos", "--webroot"),
            *("--webroot-path", places.CHALLENGES, "--domain", choices.domain),
            *("--email", choices.certbot_email),
            *("--deploy-hook", "systemctl reload nginx"),
        )
    machine.write(site, _filled("site.conf", choices))
    machine.link(enabled, site)
    machine.folder(places.CONFIG / "nginx", 0o755)
    # Also where nothing has changed: the last time may have ended before this.
    _reload(machine, system)


def _reload(machine: Machine, system: System) -> None:
    machine.run("nginx", "-t", "-q")
    if system.has_systemd:
        machine.run("systemctl", "enable", "--quiet", "--now", "nginx")
        machine.run("systemctl", "reload", "nginx")


def _filled(name: str, choices: Choices) -> str:
    text = (places.SOURCE / "deploy" / "nginx" / name).read_text(encoding="utf-8")
    certificate, key = choices.certificate_files
    return (
        text.replace("panel.example.org", choices.domain)
        .replace("/etc/ssl/certs/panel.pem", str(certificate))
        .replace("/etc/ssl/private/panel.key", str(key))
    )


def _ask_for_health(domain: str) -> tuple[int, str]:
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(15)
        line.connect(str(places.SOCKET))
        line.sendall(
            f"GET /healthz HTTP/1.0\r\nHost: {domain}\r\n"
            "X-Forwarded-Proto: https\r\n\r\n".encode()
        )
        response = http.client.HTTPResponse(line)
        response.begin()
        body = response.read(10_000).decode(errors="replace")
    try:
        return response.status, "; ".join(json.loads(body)["problems"])
    except (ValueError, KeyError, TypeError):
        return response.status, f"it answers {response.status}"
