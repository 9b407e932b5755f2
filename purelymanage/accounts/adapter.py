from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # not typed
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """People are invited or made by `create_owner`, never by themselves."""
        return False
