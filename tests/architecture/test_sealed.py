"""No sealed text is forgotten when the keys are exchanged."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models

from purelymanage import sealed

PACKAGE = Path(__file__).parents[2] / "purelymanage"
# Where something is sealed that is kept in no column of ours, and where instead.
ELSEWHERE = {
    "accounts/security/adapter.py": "in the data of second factors, registered",
    "mailboxes/operations/offers.py": "in a page, for an hour",
    "audit/key_rotation.py": "where it was, sealed with another key",
    "audit/key_proofs.py": "a proof of the very key that sealed it",
}
# Columns that sound like secrets, and why they are not sealed.
OPEN = {
    "accounts.User.password": "a hash",
    "audit.KeyProof.proof": "a proof of the very key that sealed it",
    "routing.RuleBulk.sheet": "holds no secrets",
}
TELLTALE = ("secret", "token", "sheet", "sealed", "password", "proof", "seed")


def sealing() -> Iterator[tuple[str, ast.AST]]:
    """Yield each call of `crypto.seal`, with the statement that it stands in."""
    for path in PACKAGE.rglob("*.py"):
        for statement in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(statement, ast.Assign | ast.Return | ast.Expr) and any(
                isinstance(node, ast.Call) and ast.unparse(node.func) == "crypto.seal"
                for node in ast.walk(statement)
            ):
                yield str(path.relative_to(PACKAGE)), statement


def names_of_columns() -> set[str]:
    return {it.column for it in sealed.columns() if it.is_text}


@pytest.mark.slow
def test_whatever_is_sealed_goes_into_a_sealed_column() -> None:
    wrong = []
    found = set()
    for place, statement in sealing():
        found.add(place)
        if place in ELSEWHERE:
            continue
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        names = {
            it.attr if isinstance(it, ast.Attribute) else ast.unparse(it)
            for it in targets
        }
        if not names or not names <= names_of_columns():
            wrong.append(f"{place}: {ast.unparse(statement)}")
    assert not wrong
    assert set(ELSEWHERE) <= found


def test_a_column_that_sounds_secret_is_sealed() -> None:
    ours = [
        model
        for model in apps.get_models()
        if model.__module__.startswith("purelymanage.")
    ]
    wrong = [
        f"{model._meta.label}.{field.name}"
        for model in ours
        for field in model._meta.local_fields
        if isinstance(field, models.TextField | models.BinaryField | models.JSONField)
        and not isinstance(field, sealed.SealedTextField)
        and any(word in field.name for word in TELLTALE)
        and f"{model._meta.label}.{field.name}" not in OPEN
    ]
    assert not wrong


def test_nothing_is_kept_as_bytes() -> None:
    """Bytes could hold anything, and no list of sealed columns would show it."""
    assert not [
        field
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, models.BinaryField)
    ]


def test_each_sealed_column_says_what_it_is_bound_to() -> None:
    for model in apps.get_models():
        for field in model._meta.local_fields:
            if isinstance(field, sealed.SealedTextField):
                assert isinstance(getattr(model, field.bound_to), property)
                # To the database it is a text like any other.
                assert field.deconstruct()[1] == "django.db.models.TextField"


def test_columns_of_other_packages_are_known() -> None:
    assert "mfa.Authenticator.data" in {it.label for it in sealed.columns()}
