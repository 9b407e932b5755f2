from __future__ import annotations

from django.db import models

from purelymanage.accounts.models.invitations import hash_token
from purelymanage.migrations.models.campaigns import Campaign


class PastLinkQuerySet(models.QuerySet["PastLink"]):
    def of_token(self, token: str) -> PastLink | None:
        found = self.select_related("campaign__server")
        return found.filter(token_hash=hash_token(token)).first()


class PastLink(models.Model):
    """What is left of a link of one's own when all about its person was erased.

    It leads to the page that says so, and tells nothing: whose it was is not known any
    more, and its token can be neither guessed nor found out from the hash.
    """

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="past_links"
    )
    token_hash = models.CharField(max_length=64, unique=True)

    objects = PastLinkQuerySet.as_manager()

    def __str__(self) -> str:
        return f"former link of {self.campaign}"
