"""What keeps mail from a mailbox. Apps to the right register what they know of it."""

from __future__ import annotations

from collections.abc import Callable

from purelymanage.accounts.models import User

# For an address and who asks: sentences that name what takes its mail.
Takers = Callable[[str, User], list[str]]

_providers: list[Takers] = []


def register_takers(provider: Takers) -> None:
    if provider not in _providers:
        _providers.append(provider)


def takers(address: str, user: User) -> list[str]:
    """Return why a mailbox with this address would receive nothing, if so."""
    return [sentence for provider in _providers for sentence in provider(address, user)]
