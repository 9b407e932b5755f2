from __future__ import annotations

import re
from pathlib import Path

from purelymanage.accounts.passwords import rate
from purelymanage.mailboxes import passwords

SCRIPT = Path(__file__).parents[2] / "static" / "js" / "password.js"


def test_made_passwords_are_strong_and_never_the_same() -> None:
    made = {passwords.make_password() for _ in range(50)}
    assert len(made) == 50
    for password in made:
        assert re.fullmatch(r"([a-z2-9]{5}-){3}[a-z2-9]{5}", password)
        assert not set(password) & set("il1o0")
        assert rate(password, known=[]).score == 4


def test_the_browser_makes_the_same_kind_of_password() -> None:
    script = SCRIPT.read_text()
    assert f'ALPHABET = "{passwords.ALPHABET}"' in script
    assert f"GROUPS = {passwords.GROUPS};" in script
    assert f"GROUP_LENGTH = {passwords.GROUP_LENGTH};" in script
