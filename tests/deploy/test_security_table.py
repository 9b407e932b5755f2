from __future__ import annotations

import re

from purelymanage.environment import BASE_DIR

TABLE = BASE_DIR / "deploy" / "security.md"


def test_every_test_it_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", TABLE.read_text()))
    assert len(named) > 100
    there: set[str] = set()
    for path in (BASE_DIR / "tests").rglob("test_*.py"):
        there.update(re.findall(r"def (test_\w+)", path.read_text()))
    assert named - there == set()


def test_what_is_not_met_is_said_at_the_end_as_well() -> None:
    table, end = TABLE.read_text().split("## Not met, or in part")
    rows = [
        line for line in table.splitlines() if line.startswith("|") and "**" in line
    ]
    first = {re.match(r"\| (\d+\.\d+)", row)[1] for row in rows}  # type: ignore[index]
    assert first == set(re.findall(r"(?:^- |, )(\d+\.\d+)", end, re.MULTILINE))
