from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.http import HttpRequest

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser

    class Person(AbstractBaseUser):
        """What this app asks of people, who belong to an app to its right."""

        email: str
        role: str
        domain_scope: list[str] | None

        def may(self, right: Any) -> bool: ...
        def covers(self, domain: str) -> bool: ...


def viewer_of(request: HttpRequest) -> Person:
    """Return who is signed in; the middleware lets nobody else get so far."""
    return cast("Person", request.user)
