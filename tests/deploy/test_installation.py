from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from deploy.installation import (
    __main__,
    choices,
    configuration,
    places,
    preflight,
    release,
    services,
)
from deploy.installation.machine import Failed, Machine
from purelymanage.environment import BASE_DIR
from tests.requirements import require_program

DOMAIN = "panel.example.org"
RUNS_SYSTEMD = Path("/run/systemd/system").is_dir()
CHOSEN = choices.Choices(
    DOMAIN, f"panel@{DOMAIN}", "nginx", certbot_email="a@b.example"
)


def install(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BASE_DIR / "deploy" / "install", *arguments],
        cwd="/",
        env={"PATH": os.environ["PATH"]},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Secrets and settings in a folder of ours, and files that nobody else owns."""
    monkeypatch.setattr(places, "CONFIG", tmp_path)
    monkeypatch.setattr(places, "SECRETS", tmp_path / "secrets")
    monkeypatch.setattr(places, "ENV", tmp_path / "env")
    monkeypatch.setattr(places, "CHOICES", tmp_path / "installation.json")
    monkeypatch.setattr(Machine, "_own", lambda *_: None)
    return tmp_path


def write_secrets(**given: Path | None) -> None:
    files = dict.fromkeys(("database_url", "token", "email_url")) | given
    configuration.write_secrets(Machine(dry=False), **files)


@pytest.mark.slow
def test_a_dry_run_says_every_step_and_does_nothing() -> None:
    before = [place.exists() for place in (places.HOME, places.CONFIG, places.STATE)]
    done = install("--dry-run", "--domain", DOMAIN, "--certbot-email", "a@b.example")
    if "was never tried" in done.stderr or "Debian and Ubuntu" in done.stderr:
        pytest.skip("This is no Debian or Ubuntu")
    assert done.returncode == 0, done.stderr
    titles = re.findall(r"^\S.*", done.stdout, re.MULTILINE)
    assert titles == [
        *("This machine", "Packages", "User", "Program", "Database", "Secrets"),
        *("Settings", "Tables, styles and scripts", "Release in use", "Services"),
        *("Web server", *(["Doctor"] if RUNS_SYSTEMD else [])),
        "Dry run: nothing was changed.",
    ]
    for step in ("useradd", "createdb", "migrate", "collectstatic", "certbot certonly"):
        assert re.search(rf"^  run       .*{step}", done.stdout, re.MULTILINE), step
    after = [place.exists() for place in (places.HOME, places.CONFIG, places.STATE)]
    assert after == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Say where people reach the panel: --domain"),
        (["--domain", "localhost"], "localhost is no domain name"),
        (["--domain", "https://a.example"], "is no domain name"),
        (["--domain", DOMAIN], "reached by https only: give --certbot-email"),
        (["--domain", DOMAIN, "--certificate", "x"], "belong together"),
        (
            ["--domain", DOMAIN, "--no-nginx", "--certbot-email", "a@b.example"],
            "the web server in front has its own",
        ),
    ],
)
@pytest.mark.usefixtures("elsewhere")
def test_what_is_missing_is_said(arguments: list[str], said: str) -> None:
    with pytest.raises(Failed) as failed:
        __main__.main(["--dry-run", *arguments])
    assert said in str(failed.value)


def test_a_sentence_ends_it() -> None:
    done = install("--dry-run", "--domain", "localhost")
    assert done.returncode == 1
    assert "localhost is no domain name" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_strict_umask_of_root_counts_for_nothing() -> None:
    before = os.umask(0o077)
    try:
        with pytest.raises(Failed):
            __main__.main(["--dry-run", "--domain", "localhost"])
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)


def chosen(*arguments: str) -> choices.Choices:
    return choices.choose(choices.parser().parse_args(arguments))


@pytest.mark.usefixtures("elsewhere")
def test_what_was_chosen_need_not_be_said_again() -> None:
    configuration.write_settings(Machine(dry=False), CHOSEN)
    assert chosen() == CHOSEN
    same = ("--domain", DOMAIN.upper(), "--from-email", f"panel@{DOMAIN}")
    assert chosen(*same) == CHOSEN
    assert chosen("--no-nginx").web == "none"


@pytest.mark.usefixtures("elsewhere")
def test_what_the_settings_say_is_changed_there() -> None:
    configuration.write_settings(Machine(dry=False), CHOSEN)
    with pytest.raises(Failed, match="Change DEFAULT_FROM_EMAIL in"):
        chosen("--from-email", "somebody@else.example")
    with pytest.raises(Failed, match="change BASE_URL and ALLOWED_HOSTS in"):
        chosen("--domain", "new.example.org")
    text = places.ENV.read_text().replace(DOMAIN, "new.example.org")
    places.ENV.write_text(text)
    assert chosen("--domain", "new.example.org").domain == "new.example.org"


@pytest.mark.usefixtures("elsewhere")
def test_a_certificate_brings_nginx_back() -> None:
    without = choices.Choices(DOMAIN, f"panel@{DOMAIN}", "none")
    configuration.write_settings(Machine(dry=False), without)
    assert chosen("--certbot-email", "a@b.example") == CHOSEN


def test_files_are_looked_for_where_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = (BASE_DIR / "deploy" / "install").read_text()
    assert 'export CALLED_FROM="$PWD"' in script
    monkeypatch.setenv("CALLED_FROM", str(tmp_path))
    names = ("token-file", "email-url-file", "database-url-file", "certificate")
    given = choices.parser().parse_args([f"--{name}=one" for name in names])
    for name in names:
        assert getattr(given, name.replace("-", "_")) == tmp_path / "one"


def test_going_back_needs_no_room_and_no_certificate(
    elsewhere: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    present_system(monkeypatch)
    before = elsewhere / "before"
    before.mkdir()
    (before / release.COMPLETE).touch()
    monkeypatch.setattr(places, "PREVIOUS", elsewhere / "previous")
    places.PREVIOUS.symlink_to(before)
    monkeypatch.setattr(preflight, "DISK", float("inf"))
    gone = choices.Choices(DOMAIN, f"panel@{DOMAIN}", "nginx", "/gone.pem", "/gone.key")
    configuration.write_settings(Machine(dry=False), gone)
    with pytest.raises(Failed, match="GB left"):
        __main__.main(["--dry-run"])
    __main__.main(["--dry-run", "--rollback"])
    said = capsys.readouterr().out
    assert f"-> {before}" in said
    assert said.endswith("Dry run: nothing was changed.\n")


def present_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be one of the systems that are known, wherever this runs."""
    found = preflight.System("Debian", "python3", has_systemd=False)
    monkeypatch.setattr(preflight, "system", lambda: found)
    monkeypatch.setattr("shutil.which", lambda *_, **__: "/usr/bin/it")


def test_nginx_reads_its_site_also_after_a_failure(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "NGINX", elsewhere / "nginx")
    ran: list[tuple[str | Path, ...]] = []
    works = [False, True]

    def run(machine: Machine, *command: str | Path, **_: object) -> None:
        ran.append(command)
        if command[0] == "nginx" and not works.pop(0):
            raise Failed("nginx finds a mistake in a file of somebody else")

    monkeypatch.setattr(Machine, "run", run)
    own = choices.Choices(DOMAIN, f"panel@{DOMAIN}", "nginx", "/a.pem", "/a.key")
    system = preflight.System("Debian", "python3", has_systemd=True)
    with pytest.raises(Failed):
        services.set_up_nginx(Machine(dry=False), own, system)
    assert ("systemctl", "reload", "nginx") not in ran
    services.set_up_nginx(Machine(dry=False), own, system)
    assert ran[-1] == ("systemctl", "reload", "nginx")


@pytest.mark.slow
def test_a_program_of_the_operator_runs_before_the_start(
    elsewhere: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(places, "HOOK", elsewhere / "before-start")
    arguments = ("--domain", DOMAIN, "--no-nginx")
    present_system(monkeypatch)
    __main__.main(["--dry-run", *arguments])
    assert "before-start" not in capsys.readouterr().out
    places.HOOK.write_text("#!/bin/sh\npwd >from\nexit 1\n")
    places.HOOK.chmod(0o755)
    __main__.main(["--dry-run", *arguments])
    steps = re.findall(r"^(?!  )\S.*", capsys.readouterr().out, re.MULTILINE)
    assert steps.index("Before the start") < steps.index("Release in use")

    with pytest.raises(Failed, match="did not work"):
        __main__._run_hook(Machine(dry=False), elsewhere)
    assert (elsewhere / "from").read_text() == f"{elsewhere}\n"


def test_secrets_are_made_once(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    token = elsewhere / "token"
    token.write_text("pm-live-1\n")
    write_secrets(token=token)
    first = {path.name: path.read_text() for path in places.SECRETS.iterdir()}
    assert set(first) == {*configuration.MADE, *configuration.GIVEN}
    assert first["PURELYMAIL_API_TOKEN"] == "pm-live-1\n"
    assert {path.stat().st_mode & 0o777 for path in places.SECRETS.iterdir()} == {0o600}

    token.write_text("pm-live-2\n")
    write_secrets(token=token)
    second = {path.name: path.read_text() for path in places.SECRETS.iterdir()}
    assert second == first | {"PURELYMAIL_API_TOKEN": "pm-live-2\n"}
    said = capsys.readouterr().out
    assert not [
        it for it in (*first.values(), "pm-live") if it.strip() and it.strip() in said
    ]


def test_an_empty_file_is_no_token(elsewhere: Path) -> None:
    token = elsewhere / "token"
    token.write_text("\n")
    with pytest.raises(Failed, match="is empty"):
        write_secrets(token=token)


def test_settings_hold_no_secret_and_are_not_touched_again(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = Machine(dry=False)
    configuration.write_settings(machine, CHOSEN)
    text = places.ENV.read_text()
    assert places.ENV.stat().st_mode & 0o777 == 0o600
    assert f"\nBASE_URL=https://{DOMAIN}\n" in text
    for name in (*configuration.MADE, *configuration.GIVEN):
        if name in text:
            assert f"\n{name}_FILE={places.SECRETS / name}\n" in text
        assert f"\n{name}=" not in text

    changed = text.replace("WORKERS=2\n", "WORKERS=3\n").replace("LOG_LEVEL=INFO\n", "")
    places.ENV.write_text(changed)
    configuration.write_settings(machine, CHOSEN)
    assert places.ENV.read_text() == changed
    said = capsys.readouterr().out
    assert "New settings, which have their defaults: LOG_LEVEL (" in said


def test_the_example_names_every_secret() -> None:
    named = re.search(r"Secrets are ([^.]*)\.", configuration.EXAMPLE.read_text())
    assert named
    wanted = {*configuration.MADE, *configuration.GIVEN}
    assert set(re.findall(r"[A-Z_]{2,}", named[1])) == wanted


def test_services_get_every_secret() -> None:
    unit = BASE_DIR / "deploy/systemd/purelymanage-.service.d/10-common.conf"
    given = re.findall(r"^LoadCredential=(\w+):(\S+)$", unit.read_text(), re.MULTILINE)
    wanted = {*configuration.MADE, *configuration.GIVEN}
    assert dict(given) == {name: str(places.SECRETS / name) for name in wanted}


def test_a_release_is_named_by_what_is_in_it(tmp_path: Path) -> None:
    left_out = ("static/__pycache__/it.pyc", f"{release.LEFT_OUT}/AUDIT_KEY")
    for name in left_out:
        (tmp_path / name).parent.mkdir(parents=True)
    for name in release.CONTENT:
        if not (tmp_path / name).exists():
            (tmp_path / name).write_text('version = "1.2"\n')
    first = release.name_of(tmp_path)
    assert first.startswith("1.2-")
    for name in left_out:
        (tmp_path / name).write_text("secret")
    assert release.name_of(tmp_path) == first
    (tmp_path / "LICENSE").write_text("another")
    assert release.name_of(tmp_path) != first


def test_a_release_in_use_can_be_left_and_taken_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "CURRENT", tmp_path / "current")
    monkeypatch.setattr(places, "PREVIOUS", tmp_path / "previous")
    machine = Machine(dry=False)
    with pytest.raises(Failed, match="no release to go back to"):
        release.switch_back(machine)
    one, two = tmp_path / "1", tmp_path / "2"
    for folder in (one, two):
        folder.mkdir()
        (folder / release.COMPLETE).touch()
        release.switch(machine, folder)
    release.switch(machine, two)
    assert places.CURRENT.readlink() == two
    assert release.switch_back(machine) == one
    assert places.CURRENT.readlink() == one
    assert release.switch_back(machine) == two


def test_scripts_have_no_obvious_mistakes() -> None:
    shellcheck = require_program("shellcheck")
    scripts = [
        path
        for path in sorted((BASE_DIR / "deploy").rglob("*"))
        if path.is_file() and path.read_bytes()[:9] == b"#!/bin/sh"
    ]
    assert len(scripts) >= 5
    done = subprocess.run(
        [shellcheck, "--external-sources", *scripts],
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("is_first", [True, False])
def test_a_preparation_that_fails_leaves_the_release_in_use(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, *, is_first: bool
) -> None:
    def fail(machine: Machine, placed: Path) -> None:
        raise Failed("A setting makes no sense.")

    present_system(monkeypatch)
    monkeypatch.setattr(__main__, "_prepare", fail)
    monkeypatch.setattr(places, "CURRENT", elsewhere / "current")
    if not is_first:
        places.CURRENT.mkdir()
    with pytest.raises(Failed, match=r"A setting makes no sense\.") as failed:
        __main__.main(["--dry-run", "--no-nginx", "--domain", DOMAIN])
    assert ("still runs with the release before" in str(failed.value)) != is_first


def test_a_program_that_fails_is_written_as_one_would_type_it() -> None:
    with pytest.raises(Failed, match="This did not work: sh -c 'exit 1'"):
        Machine(dry=False).run("sh", "-c", "exit 1")
