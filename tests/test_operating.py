from __future__ import annotations

import pytest

from purelymanage import operating
from purelymanage.dashboard import checked
from purelymanage.environment import BASE_DIR


@pytest.fixture
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operating, "INSTALLED", BASE_DIR.parent)


def test_commands_are_those_of_django() -> None:
    assert operating.command("migrate") == "manage.py migrate"
    assert "manage.py qcluster" in checked.next_step("Nobody works on copies.")


@pytest.mark.usefixtures("_installed")
def test_an_installed_panel_has_its_own() -> None:
    assert operating.command("migrate") == "sudo purelymanage migrate"
    assert "sudo systemctl restart" in operating.restart()
    step = checked.next_step("Nobody works on copies.")
    assert step.startswith("Start them: sudo systemctl restart purelymanage-worker")
    # Styles and scripts of a release are root's.
    assert operating.collect() == "Run sudo ./deploy/install once more."


def test_a_secret_is_named_with_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EMAIL_URL_FILE", raising=False)
    assert operating.where("EMAIL_URL") == "EMAIL_URL"
    monkeypatch.setenv("EMAIL_URL_FILE", "/etc/panel/EMAIL_URL")
    assert operating.where("EMAIL_URL") == "EMAIL_URL (/etc/panel/EMAIL_URL)"
