from __future__ import annotations

from typing import Any, ClassVar, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from purelymanage.accounts.permissions import RIGHTS, Right, Role


class UserQuerySet(models.QuerySet["User"]):
    def active(self) -> Self:
        return self.filter(is_active=True)

    def who_may(self, right: Right) -> Self:
        """Active people whose role has `right`, for some domain or for all."""
        roles = [role for role in Role if right in RIGHTS[role]]
        people = self.active().filter(role__in=roles)
        return people.unlimited() if right == Right.MANAGE_PEOPLE else people

    def unlimited(self) -> Self:
        return self.filter(domain_scope=None)

    def covering(self, domain: str) -> Self:
        """People whose scope `domain` is in."""
        return self.filter(
            models.Q(domain_scope=None)
            | models.Q(domain_scope__contains=[domain.lower()])
        )

    def able_to_approve(self) -> Self:
        """Those of whom one can ask for a deletion and another one approve it."""
        return self.who_may(Right.DELETE).unlimited()


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None, **fields: Any) -> User:
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)


class User(AbstractBaseUser):
    """A person who signs in to the panel; mailboxes are another matter.

    `domain_scope` limits what a person sees and changes to the named domains; `None`
    is no limit, an empty list is nothing at all.
    """

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=100, blank=True)
    role = models.CharField(max_length=10, choices=Role)
    domain_scope: models.Field[list[str] | None, list[str] | None] = ArrayField(
        models.CharField(max_length=253), null=True, blank=True
    )
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(default=timezone.now)
    # How pages look to this person, such as the columns of a list.
    preferences = models.JSONField(default=dict, blank=True)

    objects: ClassVar[UserManager] = UserManager()
    people = UserQuerySet.as_manager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="one_person_per_email")
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def rights(self) -> frozenset[Right]:
        rights = RIGHTS[Role(self.role)]
        if self.domain_scope is None:
            return rights
        # Whoever decides about people could lift their own limits.
        return rights - {Right.MANAGE_PEOPLE}

    def may(self, right: Right) -> bool:
        return self.is_active and right in self.rights

    def covers(self, domain: str) -> bool:
        """Tell whether `domain` is within this person's scope."""
        return self.domain_scope is None or domain.lower() in self.domain_scope
