from __future__ import annotations

from purelymanage.accounts.models.invitations import Invitation
from purelymanage.accounts.models.organisation import Organisation, organisation_of
from purelymanage.accounts.models.people import User
from purelymanage.accounts.models.sessions import PersonSession

__all__ = ["Invitation", "Organisation", "PersonSession", "User", "organisation_of"]
