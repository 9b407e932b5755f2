"""The model of the panel and the mail server of the sandbox, written independently."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings

from purelymanage.purelymail.sandbox.delivery import deliver
from purelymanage.routing.model.accounts import Place
from purelymanage.routing.model.following import End, follow
from purelymanage.routing.model.origins import origins
from tests.routing.configurations import (
    ADDRESSES,
    Configuration,
    addresses,
    configuration_of,
    configurations,
)

QUIET = (HealthCheck.too_slow, HealthCheck.data_too_large)


def agree(configuration: Configuration) -> None:
    account, state = configuration.account, configuration.state
    for address in ADDRESSES:
        walk = follow(account, address)
        outcome = deliver(state, address)
        assert set(walk.mailboxes) == outcome.mailboxes, address
        assert set(walk.outside) == outcome.outside, address
        assert set(walk.bounces) == outcome.bounced, address
        assert set(walk.ended(End.NOBODY)) == outcome.dropped, address
        assert bool(walk.circles) == bool(outcome.cut), address
        # What is still on its way at the end comes from a circle.
        assert outcome.cut <= {visit.read_as for visit in walk.visits}, address


@pytest.mark.slow
def test_the_model_agrees_with_the_mail_server() -> None:
    """Ten thousand, which Hypothesis takes longer to draw than they take to compare."""
    first = random.randrange(2**32)  # noqa: S311  # others each time
    for seed in range(first, first + 10_000):
        configuration = configuration_of(random.Random(seed))  # noqa: S311
        try:
            agree(configuration)
        except AssertionError as exc:
            exc.add_note(f"seed {seed}: {configuration}")
            raise


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=QUIET)
@given(configurations())
def test_the_model_agrees_with_the_mail_server_for_some(
    configuration: Configuration,
) -> None:
    agree(configuration)


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=QUIET)
@given(configurations(), addresses)
def test_origins_are_exactly_the_addresses_that_end_there(
    configuration: Configuration, goal: str
) -> None:
    account = configuration.account
    goal = account.look_at(goal).read_as
    found = origins(account, goal)
    for address in ADDRESSES:
        walk = follow(account, address)
        ends_there = goal in walk.mailboxes or goal in walk.outside
        # Others are no origins, even of their own mail, and what has no name is none.
        is_ours = account.look_at(address).place != Place.OUTSIDE
        if is_ours and not address.startswith("@"):
            assert any(it.covers(address) for it in found) == ends_there, address
