"""Rules by what they do: their ids change whenever they are made anew."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from purelymanage.purelymail import types
from purelymanage.routing.models import Rule

FIELDS = ("domain", "match_user", "prefix", "catchall", "targets")


def fields_of(rule: Rule | types.Rule) -> dict[str, Any]:
    """Return what it takes to make a rule."""
    fields = {name: getattr(rule, name) for name in FIELDS}
    return fields | {"targets": list(rule.targets)}


def deed(rule: dict[str, Any]) -> tuple[Any, ...]:
    """Return what a rule does, whatever its id and its capital letters."""
    targets = tuple(sorted(map(str.lower, rule["targets"])))
    return (*matching(rule), rule["catchall"], targets)


def matching(rule: dict[str, Any]) -> tuple[Any, ...]:
    """Return what no two rules of an account may share."""
    return rule["domain"].lower(), rule["match_user"].lower(), rule["prefix"]


def find(rules: list[types.Rule], wanted: dict[str, Any]) -> types.Rule | None:
    return next((it for it in rules if deed(asdict(it)) == deed(wanted)), None)


def find_rival(rules: list[types.Rule], wanted: dict[str, Any]) -> types.Rule | None:
    """Return a rule for the same addresses that does something else."""
    return next(
        (
            it
            for it in rules
            if matching(asdict(it)) == matching(wanted)
            and deed(asdict(it)) != deed(wanted)
        ),
        None,
    )
