from __future__ import annotations

import os
import sys
from pathlib import Path

from deploy.installation import (
    choices,
    configuration,
    database,
    places,
    preflight,
    release,
    services,
    system,
)
from deploy.installation.machine import Failed, Machine

# Of the panel's own: run as its user, in the new release, before that is in use. Old
# processes go on meanwhile, and every change of the tables suits them as well.
PREPARATIONS = (
    ("migrate", "--no-input", "--verbosity=0"),
    ("createcachetable",),
    ("check", "--deploy", "--fail-level=WARNING"),
)


def main(arguments: list[str]) -> None:
    given = choices.parser().parse_args(arguments)
    # Root's own may be stricter, and then nobody else could use what is made here.
    os.umask(0o022)
    machine = Machine(dry=given.dry_run)
    if given.dry_run:
        machine.note("This only says what would be done.")
    chosen = choices.choose(given)
    machine.step("This machine")
    found = preflight.look(machine)
    if given.rollback:
        services.install_units(machine, release.switch_back(machine), found)
        services.start(machine, found)
        if found.has_systemd:
            services.wait_until_healthy(machine, chosen.domain)
        _tell_end(machine, "Done: the release before is in use again.")
        return

    preflight.look_at_needs(machine, chosen)
    own_database = given.database_url_file is None and _has_own_database()
    system.install_packages(machine, chosen, found, with_database=own_database)
    system.make_user(machine)
    placed = release.place(machine, found)
    if own_database:
        database.make(machine, found)
    configuration.write_secrets(
        machine,
        database_url=given.database_url_file,
        token=given.token_file,
        email_url=given.email_url_file,
    )
    configuration.write_settings(machine, chosen)

    is_first = not places.CURRENT.exists()
    try:
        machine.step("Tables, styles and scripts")
        _prepare(machine, placed)
        release.finish(machine, placed)
        _run_hook(machine, placed)
    except Failed as exc:
        if is_first:
            raise
        raise Failed(f"{exc}\nThe panel still runs with the release before.") from exc

    release.switch(machine, placed)
    services.install_units(machine, placed, found)
    services.start(machine, found)
    if found.has_systemd:
        services.wait_until_healthy(machine, chosen.domain)
    if chosen.web == "nginx":
        services.set_up_nginx(machine, chosen, found)
    release.remove_old(machine)
    if found.has_systemd:
        machine.step("Doctor")
        doctor = (".venv/bin/python", "manage.py", "doctor")
        machine.show(*doctor, user=places.USER, cwd=places.CURRENT)
    _tell(machine, chosen, is_first=is_first)


def _prepare(machine: Machine, placed: Path) -> None:
    python = placed / ".venv" / "bin" / "python"
    env = {"ENV_FILE": str(places.ENV)}
    for command in PREPARATIONS:
        machine.run(
            python, "manage.py", *command, user=places.USER, cwd=placed, env=env
        )
    if (placed / release.COMPLETE).exists():
        return
    # The release is root's, so that no process of the panel can change it.
    machine.folder(placed / "var", 0o755, places.USER)
    collect = ("collectstatic", "--no-input", "--verbosity=0")
    machine.run(python, "manage.py", *collect, user=places.USER, cwd=placed, env=env)
    machine.run("chown", "--recursive", "root:root", placed / "var")
    machine.run("chmod", "--recursive", "u=rwX,go=rX", placed / "var")


def _run_hook(machine: Machine, placed: Path) -> None:
    """Run what the operator wants done between two releases, in the new one."""
    if places.HOOK.exists():
        machine.step("Before the start")
        machine.run(places.HOOK, cwd=placed)


def _has_own_database() -> bool:
    url = places.SECRETS / "DATABASE_URL"
    try:
        return not url.exists() or url.read_text().strip() == database.URL
    except PermissionError:
        return True


def _tell(machine: Machine, chosen: choices.Choices, *, is_first: bool) -> None:
    _tell_end(machine, "Done.")
    machine.note(f"Address   https://{chosen.domain}")
    if is_first:
        machine.note("Owner     sudo purelymanage create_owner you@example.org")
    machine.note(
        f"Settings  {places.ENV}, then: sudo systemctl restart 'purelymanage-*.service'"
    )
    machine.note(f"Backups   a passphrase in {places.SECRETS / 'BACKUP'} starts them")
    machine.note("Logs      sudo journalctl -u 'purelymanage-*'")
    if chosen.web == "none":
        machine.note(f"Your web server has to lead to {places.SOCKET}: deploy/nginx")


def _tell_end(machine: Machine, words: str) -> None:
    machine.step("Dry run: nothing was changed." if machine.dry else words)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Failed as exc:
        sys.exit(f"\n{exc}")
    except KeyboardInterrupt:
        sys.exit("\nInterrupted. It can be run again.")
