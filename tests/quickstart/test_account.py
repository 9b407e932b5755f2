from __future__ import annotations

import stat
from pathlib import Path

import pytest

from purelymanage.quickstart import account
from purelymanage.quickstart.folder import Folder

TOKEN = {"PURELYMAIL_API_TOKEN": "pm-live-1"}


@pytest.mark.parametrize(
    ("given", "kept", "wanted"),
    [
        ({}, {}, account.SANDBOX),
        (TOKEN, {}, account.REAL),
        ({"PURELYMAIL_API_TOKEN_FILE": "/token"}, {}, account.REAL),
        ({}, {account.KIND: account.SANDBOX}, account.SANDBOX),
        # The token was noted at the first start.
        ({}, {account.KIND: account.REAL}, account.REAL),
        (TOKEN, {account.KIND: account.REAL}, account.REAL),
    ],
)
def test_a_token_means_a_real_account(
    given: dict[str, str], kept: dict[str, str], wanted: str
) -> None:
    assert account.kind_wanted(given, kept) == wanted


def test_demo_data_never_meet_a_real_account() -> None:
    with pytest.raises(account.WrongAccount, match="--reset or in another clone"):
        account.kind_wanted(TOKEN, {account.KIND: account.SANDBOX})


def test_the_token_goes_into_a_file_of_its_own(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    given = {**TOKEN, "PURELYMAIL_API_URL": "https://api.example", "HOME": "/"}
    settings = account.real_settings(given, folder)
    assert settings == {
        "PURELYMAIL_API_URL": "https://api.example",
        "PURELYMAIL_API_TOKEN_FILE": str(folder.token),
    }
    assert folder.token.read_text() == "pm-live-1\n"
    assert stat.S_IMODE(folder.token.stat().st_mode) == 0o600
