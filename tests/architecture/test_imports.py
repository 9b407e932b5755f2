"""Who may import whom, as the design says it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "purelymanage"
APPS = [
    "audit",
    "accounts",
    "deletions",
    "domains",
    "mailboxes",
    "routing",
    "migrations",
    "dashboard",
    "quickstart",
]
# What knows of no app.
GROUND = [
    "purelymail",
    "imap",
    "sheets",
    "crypto",
    "sealed",
    "errors",
    "broker",
    "context",
    "logs",
    "error_notes",
    "task_context",
    "environment",
    "figures",
    "prepared",
    "long_selects",
    "call_depth",
]
# Whoever draws or checks must not write, call PurelyMail, or open transactions.
FORBIDDEN_IN_VIEWS = {"purelymanage.purelymail.client", "purelymanage.crypto"}


def modules(name: str) -> list[Path]:
    folder = PACKAGE / name
    return sorted(folder.rglob("*.py")) or list(PACKAGE.glob(f"{name}.py"))


def imported(path: Path) -> Iterator[str]:
    """Yield what a module imports at run time, imports for types left out."""
    nodes: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        nodes.extend(ast.iter_child_nodes(node))


def apps_imported(path: Path) -> set[str]:
    parts = (name.split(".") for name in imported(path))
    return {p[1] for p in parts if p[0] == "purelymanage" and len(p) > 1} & set(APPS)


@pytest.mark.slow
@pytest.mark.parametrize("app", APPS)
def test_apps_import_only_apps_to_their_left(app: str) -> None:
    allowed = set(APPS[: APPS.index(app) + 1])
    wrong = {
        str(path.relative_to(PACKAGE)): sorted(apps_imported(path) - allowed)
        for path in modules(app)
        if apps_imported(path) - allowed
    }
    assert not wrong


@pytest.mark.parametrize("name", GROUND)
def test_the_ground_knows_of_no_app(name: str) -> None:
    wrong = [str(path) for path in modules(name) if apps_imported(path)]
    assert not wrong


@pytest.mark.parametrize(
    "name", ["imap", "sheets", "purelymail/sandbox", "migrations/engines"]
)
def test_protocols_know_nothing_of_django(name: str) -> None:
    wrong = [
        str(path.relative_to(PACKAGE))
        for path in modules(name)
        if any(module.split(".")[0] == "django" for module in imported(path))
    ]
    assert not wrong


def test_copying_knows_nothing_of_sockets() -> None:
    wrong = [
        str(path)
        for path in modules("migrations/engines")
        if {"socket", "ssl"} & set(imported(path))
    ]
    assert not wrong


def test_views_neither_write_nor_call_purelymail() -> None:
    wrong = []
    for path in PACKAGE.rglob("views*.py"):
        names = set(imported(path))
        tree = ast.parse(path.read_text(encoding="utf-8"))
        verbs = {
            node.func.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        }
        if any(name.startswith(tuple(FORBIDDEN_IN_VIEWS)) for name in names):
            wrong.append(f"{path}: calls PurelyMail or opens secrets")
        if verbs & {"save", "create", "bulk_create", "update_or_create", "atomic"}:
            wrong.append(f"{path}: writes")
    assert not wrong


def test_files_stay_short() -> None:
    top = PACKAGE.parent
    wrong = [
        f"{path.relative_to(top)}: {lines}"
        for folder in (PACKAGE, top / "tests")
        for path in folder.rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400
        and not path.match("migrations/0*.py")
    ]
    assert not wrong


def test_nothing_is_named_after_nothing() -> None:
    names = {"utils.py", "helpers.py", "managers.py", "misc.py", "common.py"}
    assert not [path for path in PACKAGE.rglob("*.py") if path.name in names]
