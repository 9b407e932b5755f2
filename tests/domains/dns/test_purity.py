from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from purelymanage.domains import dns

FOLDER = Path(dns.__path__[0])
# They are the ones that ask.
ASKING = {"looking", "servers", "wire"}
JUDGING = sorted(it for it in FOLDER.glob("*.py") if it.stem not in ASKING)
FORBIDDEN = ("django", "socket", "asyncio", "requests", "time", "datetime")


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (it.name for it in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("path", JUDGING, ids=lambda it: it.stem)
def test_what_judges_asks_nobody_and_stores_nothing(path: Path) -> None:
    names = list(imported(path))
    assert not [it for it in names if it.split(".")[0] in FORBIDDEN]
    assert not [
        it
        for it in names
        if it.startswith("purelymanage.")
        and not it.startswith(("purelymanage.domains.dns.", "purelymanage.sheets."))
    ]
    assert not ASKING & {it.rpartition(".")[2] for it in names}
