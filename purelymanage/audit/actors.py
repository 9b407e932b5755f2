"""Who did it, on rows that outlive the request: a person, or a name in words."""

from __future__ import annotations

import getpass
import os
from typing import Any, Protocol, cast

from django.contrib.auth.base_user import AbstractBaseUser

from purelymanage.audit.models.entries import Agent


class Operator(str):
    """Somebody at a command line, by the name that the operating system has."""

    __slots__ = ()

    @classmethod
    def present(cls) -> Operator:
        """Return who types this command; behind sudo, who called that."""
        try:
            return cls(os.environ.get("SUDO_USER") or getpass.getuser())
        except (KeyError, OSError):  # a container may know no name for its number
            return cls(f"user {os.getuid()}")


Actor = AbstractBaseUser | Agent | Operator


class Requested(Protocol):
    requested_by: Any
    requested_as: str


def as_columns(actor: Actor) -> dict[str, Any]:
    """Return `requested_by` and `requested_as` of a row that `actor` asks for."""
    if isinstance(actor, AbstractBaseUser):
        return {"requested_by": actor, "requested_as": ""}
    return {"requested_by": None, "requested_as": str(actor)}


def actor_of(row: Requested) -> Actor:
    """Return who asked for a row."""
    if row.requested_by is not None:
        return cast(AbstractBaseUser, row.requested_by)
    return Operator(row.requested_as)
