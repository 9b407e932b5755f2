"""Whatever changes something says so in the audit log."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "purelymanage"
RECORDING = {"record", "record_many", "report"}

# Operations that leave no entry, and why.
SILENT = {
    "deletions/operations/execution:_claim": "settling says what became of it",
    "deletions/operations/execution:_leave": "a sweep finds out and says it",
    "domains/operations/syncing:revive_sync": "whoever asked for it was recorded",
    "domains/operations/rechecks:settle_disputes": "a comparison changes nothing",
    "domains/operations/looks:_claim_due": "settling says what was seen",
    "mailboxes/operations/app_passwords:_claim_revocation": "the end of it is told",
    "mailboxes/operations/changing:claim": "settling says what became of it",
    "mailboxes/operations/creating:_claim": "settling says what became of it",
    "mailboxes/operations/creating:_leave_to_sync": "the sync says what it finds",
    "mailboxes/operations/new_app_passwords:_claim": "the answer is told when it comes",
    "migrations/operations/app_passwords:_intend": "the answer is told when it comes",
    "migrations/operations/new_mailboxes:_intend": "the creation of it is told",
    "migrations/operations/new_mailboxes:_forget_password": "its link is told",
    "mailboxes/operations/follow_ups:_note_done": "what it did says it",
    "mailboxes/operations/follow_ups:try_again": "each line says what becomes of it",
    "mailboxes/operations/follow_ups:_plan": "each line says what becomes of it",
    "routing/operations/following:_ask_for_sync": "the sync says what it finds",
    "routing/operations/creating:_claim": "settling says what became of it",
    "routing/operations/creating:_leave_to_sync": "the sync says what it finds",
    "routing/operations/creating:look_for_overdue": "the sync says what it finds",
    "routing/operations/rewriting:_claim": "settling says what became of it",
    "routing/operations/many:choose_row": "a draft changes nothing",
    "routing/operations/many:discard_draft": "a draft changes nothing",
    "routing/operations/many:draft_import": "a draft changes nothing",
    "routing/operations/many:draft_restore": "a draft changes nothing",
    "routing/operations/many:draft_template": "a draft changes nothing",
    "routing/operations/many:map_columns": "a draft changes nothing",
    "migrations/operations/batches:draft_batch": "a draft changes nothing",
    "migrations/operations/batches:map_columns": "a draft changes nothing",
    "migrations/operations/batches:choose_wishes": "a draft changes nothing",
    "migrations/operations/batches:discard_draft": "a draft changes nothing",
    "migrations/operations/password_tables:keep_table": "a draft changes nothing",
    "migrations/operations/password_tables:choose_columns": "a draft changes nothing",
    "migrations/operations/password_tables:discard_table": "a draft changes nothing",
    "migrations/operations/servers:_save": "whoever calls it says it",
    "migrations/operations/jobs_many:ask_of_jobs": "what is done says it, one by one",
    "migrations/operations/jobs_many:finish_action": "what was done has said it",
    "migrations/operations/jobs_many:_do_within": "queueing and stopping say it",
    "migrations/operations/jobs_many:_note": "what was done has said it",
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def operation_modules() -> Iterator[Path]:
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.stem == "operations" or path.parent.name == "operations":
            yield path


def functions(path: Path) -> dict[str, Function]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {it.name: it for it in tree.body if isinstance(it, Function)}


def is_atomic(function: Function) -> bool:
    return any(
        "transaction.atomic" in ast.unparse(node)
        for node in [*function.decorator_list, *ast.walk(function)]
        if isinstance(node, ast.Call | ast.Attribute)
    )


def called(function: Function) -> set[str]:
    """Return the last names of all that a function calls."""
    names = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            name = node.func
            names.add(
                name.attr if isinstance(name, ast.Attribute) else ast.unparse(name)
            )
    return names


def everything() -> dict[str, list[Function]]:
    """Return the functions of the package by name, as calls are followed by name."""
    found: dict[str, list[Function]] = {}
    for path in PACKAGE.rglob("*.py"):
        for name, function in functions(path).items():
            found.setdefault(name, []).append(function)
    return found


def records(
    function: Function, known: dict[str, list[Function]], seen: set[str]
) -> bool:
    names = called(function)
    if names & RECORDING:
        return True
    for name in names - seen:
        seen.add(name)
        if any(records(it, known, seen) for it in known.get(name, [])):
            return True
    return False


@pytest.mark.slow
def test_every_operation_records() -> None:
    known = everything()
    wrong = []
    for path in operation_modules():
        for name, function in functions(path).items():
            place = f"{path.relative_to(PACKAGE).with_suffix('')}:{name}"
            if not is_atomic(function):
                continue
            if place not in SILENT and not records(function, known, {name}):
                wrong.append(place)
    assert not wrong


def test_what_is_said_to_be_silent_exists() -> None:
    there = {
        f"{path.relative_to(PACKAGE).with_suffix('')}:{name}"
        for path in operation_modules()
        for name in functions(path)
    }
    assert set(SILENT) <= there
