"""People who change each other at the same moment, in real transactions."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest
from django.db import connection
from django.test import TransactionTestCase

from purelymanage.accounts.models import Invitation, PersonSession, User
from purelymanage.accounts.models.invitations import hash_token
from purelymanage.accounts.operations import invitations, people
from purelymanage.accounts.permissions import Right, Role
from purelymanage.accounts.sessions import end_session
from purelymanage.audit.events import Event
from purelymanage.audit.models import Entry
from purelymanage.errors import Refused
from tests.account import add_invitation

ROUNDS = 10


def at_once(*changes: Callable[[], object]) -> list[bool]:
    """Run all of them in threads of their own; say which were not refused."""
    start = Barrier(len(changes))

    def run(change: Callable[[], object]) -> bool:
        try:
            start.wait(timeout=10)
            change()
        except Refused:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(len(changes)) as pool:
        return list(pool.map(run, changes))


@pytest.mark.slow
class AtOnceTests(TransactionTestCase):
    def make(self, email: str, role: Role = Role.OWNER) -> User:
        return User.objects.create_user(f"{email}@example.org", None, role=role)

    def accept(self, token: str) -> User:
        return invitations.accept_invitation(
            token=token, name="Nina", password="slow-otters-paint-bridges"
        )

    def assert_one_owner_is_left(self) -> None:
        self.assertEqual(User.people.who_may(Right.MANAGE_PEOPLE).count(), 1)

    def test_two_owners_who_demote_each_other(self) -> None:
        one, two = self.make("one"), self.make("two")

        def demote(person: User, actor: User) -> None:
            people.change_rights(
                person=person, role=Role.ADMIN, domain_scope=None, actor=actor
            )

        for _ in range(ROUNDS):
            User.objects.update(role=Role.OWNER)
            went = at_once(lambda: demote(one, two), lambda: demote(two, one))
            self.assertEqual(sorted(went), [False, True])
            self.assert_one_owner_is_left()

    def test_three_owners_in_a_circle(self) -> None:
        one, two, three = self.make("one"), self.make("two"), self.make("three")
        for _ in range(ROUNDS):
            User.objects.update(is_active=True)
            at_once(
                lambda: people.deactivate_person(person=one, actor=two),
                lambda: people.deactivate_person(person=two, actor=three),
                lambda: people.deactivate_person(person=three, actor=one),
            )
            self.assertTrue(User.people.who_may(Right.MANAGE_PEOPLE).exists())

    def test_an_owner_who_limits_and_one_who_deactivates(self) -> None:
        one, two = self.make("one"), self.make("two")
        for _ in range(ROUNDS):
            User.objects.update(is_active=True, domain_scope=None)
            went = at_once(
                lambda: people.deactivate_person(person=one, actor=two),
                lambda: people.change_rights(
                    person=two,
                    role=Role.OWNER,
                    domain_scope=["shop.example"],
                    actor=one,
                ),
            )
            self.assertEqual(sorted(went), [False, True])
            self.assert_one_owner_is_left()

    def test_an_invitation_clicked_several_times(self) -> None:
        owner = self.make("owner")
        for number in range(ROUNDS):
            email, token = f"new{number}@example.org", f"token-{number}"
            add_invitation(owner, email=email, token_hash=hash_token(token))
            went = at_once(*[partial(self.accept, token)] * 4)
            self.assertEqual(sum(went), 1)
            self.assertEqual(User.objects.filter(email=email).count(), 1)
        accepted = Entry.objects.filter(event=Event.INVITATION_ACCEPTED)
        self.assertEqual(accepted.count(), ROUNDS)

    def test_an_invitation_accepted_and_withdrawn(self) -> None:
        owner = self.make("owner")
        for number in range(ROUNDS):
            email, token = f"new{number}@example.org", f"token-{number}"
            invitation = add_invitation(
                owner, email=email, token_hash=hash_token(token)
            )
            accepted, withdrawn = at_once(
                partial(self.accept, token),
                partial(
                    invitations.withdraw_invitation, invitation=invitation, actor=owner
                ),
            )
            self.assertNotEqual(accepted, withdrawn)
            self.assertEqual(User.objects.filter(email=email).exists(), accepted)

    def test_somebody_invited_by_two_owners(self) -> None:
        one, two = self.make("one"), self.make("two")

        def invite(actor: User) -> None:
            invitations.invite_person(
                email="nina@example.org",
                role=Role.ADMIN,
                domain_scope=None,
                actor=actor,
            )

        went = at_once(lambda: invite(one), lambda: invite(two))
        self.assertEqual(sorted(went), [False, True])
        self.assertEqual(Invitation.objects.count(), 1)

    def test_an_owner_who_invites_while_they_are_shut_out(self) -> None:
        one, two = self.make("one"), self.make("two")
        for number in range(ROUNDS):
            User.objects.update(is_active=True)
            at_once(
                lambda: people.deactivate_person(person=one, actor=two),
                partial(
                    invitations.invite_person,
                    email=f"friend{number}@example.org",
                    role=Role.OWNER,
                    domain_scope=None,
                    actor=one,
                ),
            )
            self.assertFalse(Invitation.objects.pending().exists())

    def test_an_owner_shut_out_while_their_invitations_are_accepted(self) -> None:
        one, two = self.make("one"), self.make("two")
        for number in range(ROUNDS):
            User.objects.filter(pk=one.pk).update(is_active=True)
            tokens = [f"token-{number}-{each}" for each in range(4)]
            for token in tokens:
                add_invitation(
                    one, email=f"{token}@example.org", token_hash=hash_token(token)
                )
            at_once(
                partial(people.deactivate_person, person=one, actor=two),
                *(partial(self.accept, token) for token in tokens),
            )
            self.assertFalse(Invitation.objects.pending().exists())
        settled = Invitation.objects.filter(accepted_at=None).count()
        withdrawn = Entry.objects.filter(event=Event.INVITATION_WITHDRAWN)
        self.assertEqual(withdrawn.count(), settled)
        self.assertEqual(User.objects.count(), 2 + Invitation.objects.count() - settled)

    def test_a_person_shut_out_while_they_end_their_sessions(self) -> None:
        owner, person = self.make("owner"), self.make("person", Role.ADMIN)
        for _ in range(ROUNDS):
            User.objects.filter(pk=person.pk).update(is_active=True)
            for _ in range(4):
                self.client_class().force_login(person)
            rows = list(PersonSession.objects.open().filter(user=person))
            self.assertEqual(len(rows), 4)
            at_once(
                partial(people.deactivate_person, person=person, actor=owner),
                *(partial(end_session, session=row, actor=person) for row in rows),
            )
            self.assertFalse(PersonSession.objects.open().exists())
        ended = Entry.objects.filter(event=Event.SESSION_ENDED)
        self.assertEqual(ended.count(), ROUNDS * 4)
