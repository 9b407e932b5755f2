from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q

from purelymanage.accounts.models import User
from purelymanage.accounts.operations.invitations import withdraw_all_of
from purelymanage.accounts.permissions import Right, Role
from purelymanage.accounts.sessions import end_all_sessions
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.log import Actor
from purelymanage.errors import Refused

Scope = list[str] | None


@transaction.atomic(durable=True)
def create_owner(*, email: str, password: str, actor: Actor) -> User:
    """Make somebody an owner with this password, whether known already or not."""
    email = email.strip().lower()
    user = User.objects.filter(email__iexact=email).first() or User(email=email)
    try:
        validate_email(email)
        validate_password(password, user)
    except ValidationError as exc:
        raise Refused(" ".join(exc.messages)) from exc

    user.role, user.domain_scope, user.is_active = Role.OWNER, None, True
    user.set_password(password)
    user.save()
    # Whoever had to be rescued may not have been alone in there.
    end_all_sessions(user=user, actor=actor)
    log.record(Event.OWNER_CREATED, actor=actor, target=email)
    return user


@transaction.atomic(durable=True)
def rename_person(*, person: User, name: str) -> None:
    """Change what a person is called; they do this by themselves."""
    person = User.objects.select_for_update(no_key=True).get(pk=person.pk)
    if person.name == name:
        return
    diff = {"name": (person.name, name)}
    person.name = name
    person.save(update_fields=["name"])
    log.record(
        Event.PERSON_CHANGED,
        actor=person,
        target=person.email,
        diff=diff,
        changes=", ".join(diff),
    )


@transaction.atomic(durable=True)
def change_rights(
    *, person: User, role: Role, domain_scope: Scope, actor: User
) -> None:
    """Give another person a role and the domains that they see."""
    person = _lock(person, actor=actor, verb="change your own role or domains")
    diff = _diff(person, role, domain_scope)
    if not diff:
        return

    person.role, person.domain_scope = role, domain_scope
    person.save(update_fields=["role", "domain_scope"])
    entries = []
    if not person.may(Right.MANAGE_PEOPLE):
        entries = withdraw_all_of(person, actor=actor)
    # Notifications tell no more than the sentence, and these values are short.
    changes = (f"{name} from {old} to {new}" for name, (old, new) in diff.items())
    entry = log.note(
        Event.RIGHTS_CHANGED,
        actor=actor,
        target=person.email,
        diff=diff,
        changes=", ".join(changes),
    )
    log.record_many([entry, *entries])


@transaction.atomic(durable=True)
def deactivate_person(*, person: User, actor: User) -> None:
    """Shut a person out at once, with whom they invited and nobody knows yet.

    The row stays: the audit log and what they scheduled name it.
    """
    person = _lock(person, actor=actor, verb="switch off your own access")
    if not person.is_active:
        raise Refused(f"The access of {person} is switched off already.")

    person.is_active = False
    person.save(update_fields=["is_active"])
    entries = withdraw_all_of(person, actor=actor)
    end_all_sessions(user=person, actor=actor)
    entry = log.note(Event.PERSON_DEACTIVATED, actor=actor, target=person.email)
    log.record_many([entry, *entries])


@transaction.atomic(durable=True)
def reactivate_person(*, person: User, actor: User) -> None:
    """Let a person in again, with the password and the rights they had."""
    person = _lock(person, actor=actor, verb="switch on your own access")
    if person.is_active:
        raise Refused(f"{person} has access already.")

    person.is_active = True
    person.save(update_fields=["is_active"])
    log.record(Event.PERSON_REACTIVATED, actor=actor, target=person.email)


def _lock(person: User, *, actor: User, verb: str) -> User:
    """Return the person as they are now, for a change by somebody who may.

    Owners change each other one after the other: whoever has lost the right while
    they waited is refused. So an owner is always left.
    """
    concerned = Q(pk__in=[person.pk, actor.pk]) | Q(role=Role.OWNER)
    # Entries of the audit log point at these rows, and need not wait for us.
    rows = User.objects.select_for_update(no_key=True).filter(concerned).order_by("pk")
    people = {row.pk: row for row in rows}
    person, actor = people[person.pk], people[actor.pk]

    owners = [row for row in people.values() if row.may(Right.MANAGE_PEOPLE)]
    if owners == [person]:
        raise Refused(f"{person} is the last owner. Make somebody else an owner first.")
    if person == actor:
        raise Refused(f"You cannot {verb}. Ask another owner.")
    if actor not in owners:
        raise Refused("Your role does not allow this any more.")
    return person


def _diff(person: User, role: Role, domain_scope: Scope) -> dict[str, tuple[str, str]]:
    values = {
        "role": (str(Role(person.role).label), str(role.label)),
        "domains": (_domains(person.domain_scope), _domains(domain_scope)),
    }
    return {name: pair for name, pair in values.items() if pair[0] != pair[1]}


def _domains(scope: Scope) -> str:
    if scope is None:
        return "all"
    return " ".join(scope) or "none"
