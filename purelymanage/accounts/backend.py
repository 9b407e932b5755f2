from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend

from purelymanage.accounts.session_store import SessionStore, session_at_hand


class PersonBackend(AuthenticationBackend):  # type: ignore[misc]  # not typed
    """allauth's, which finds the person that was read together with the session."""

    def get_user(self, user_id: Any) -> Any:
        session = session_at_hand.get()
        person = None
        if isinstance(session, SessionStore):
            person = session.take_person(user_id)
        if person is None:
            return super().get_user(user_id)
        return person if self.user_can_authenticate(person) else None
