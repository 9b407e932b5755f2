"""What workers do for campaigns, most of it by the clock."""

from __future__ import annotations

import time

from purelymanage.migrations.operations import campaigns, invitations, launches

# Seconds after which other tasks have their turn.
SLICE = 20.0


def send_mails() -> str:
    return f"{invitations.send_due()} mails handed over"


def purge() -> str:
    return f"{campaigns.purge_ended()} campaigns erased"


def go_on_launching(pk: int) -> str:
    """Launch those that a click has left to a worker."""
    until = time.monotonic() + SLICE
    while launches.take_step(pk):
        if time.monotonic() >= until:
            launches.hand_on(pk)
            return "more of them are left"
    return "all of them are launched, or it was stopped"


def sweep_launches() -> str:
    return f"{launches.hand_on_silent()} launches gone on with"
