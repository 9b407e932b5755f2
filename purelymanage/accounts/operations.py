from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Role
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.log import Actor
from purelymanage.errors import Refused


@transaction.atomic(durable=True)
def create_owner(*, email: str, password: str, actor: Actor) -> User:
    """Make somebody an owner with this password, whether known already or not."""
    email = email.strip().lower()
    try:
        validate_email(email)
        validate_password(password)
    except ValidationError as exc:
        raise Refused(" ".join(exc.messages)) from exc

    user = User.objects.filter(email__iexact=email).first() or User(email=email)
    user.role, user.domain_scope, user.is_active = Role.OWNER, None, True
    user.set_password(password)
    user.save()
    log.record(Event.OWNER_CREATED, actor=actor, target=email)
    return user
