from __future__ import annotations

from django.utils import timezone

from purelymanage.deletions.models import Precaution
from purelymanage.deletions.operations import execution, precautions

AT_ONCE = 20


def keep_watch() -> str:
    """Announce, carry out and clear up, each minute."""
    announced = execution.announce_due()  # first, as it does not wait for PurelyMail
    resolved = execution.resolve_abandoned()
    tried = execution.execute_due()
    see_to_precautions()
    return f"{announced} announced, {len(tried)} tried, {resolved} cleared up"


def see_to_precautions() -> str:
    """Do what was asked for together with a deletion, or undo it."""
    found = Precaution.objects.claimable(timezone.now()).select_related(
        "deletion__requested_by"
    )[:AT_ONCE]
    for precaution in found:
        precautions.see_to(precaution=precaution)
    return f"{len(found)} seen to"
