"""What workers do for campaigns by the clock."""

from __future__ import annotations

from purelymanage.migrations.operations import campaigns, invitations


def send_mails() -> str:
    return f"{invitations.send_due()} mails handed over"


def purge() -> str:
    return f"{campaigns.purge_ended()} campaigns erased"
