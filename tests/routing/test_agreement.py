"""The model of the panel and the mail server of the sandbox, written independently."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from purelymanage.purelymail.sandbox.delivery import deliver
from purelymanage.routing.model.following import End, follow
from purelymanage.routing.model.origins import origins
from tests.routing.configurations import (
    Configuration,
    addresses,
    configurations,
    odd_addresses,
)

QUIET = (HealthCheck.too_slow, HealthCheck.data_too_large)


def agree(configuration: Configuration, address: str) -> None:
    walk = follow(configuration.account, address)
    outcome = deliver(configuration.state, address)
    assert set(walk.mailboxes) == outcome.mailboxes
    assert set(walk.outside) == outcome.outside
    assert set(walk.ended(End.BOUNCE)) == outcome.bounced
    assert set(walk.ended(End.NOBODY)) == outcome.dropped
    assert bool(walk.circles) == bool(outcome.cut)
    # What is still on its way at the end comes from a circle.
    assert outcome.cut <= {visit.read_as for visit in walk.visits}


@pytest.mark.slow
@settings(max_examples=10_000, deadline=None, suppress_health_check=QUIET)
@given(configurations(), addresses | odd_addresses)
def test_the_model_agrees_with_the_mail_server(
    configuration: Configuration, address: str
) -> None:
    agree(configuration, address)


@settings(max_examples=300, deadline=None, suppress_health_check=QUIET)
@given(configurations(), addresses | odd_addresses)
def test_the_model_agrees_with_the_mail_server_for_some(
    configuration: Configuration, address: str
) -> None:
    agree(configuration, address)


@settings(max_examples=300, deadline=None, suppress_health_check=QUIET)
@given(configurations(), st.lists(addresses, min_size=1, max_size=8), addresses)
def test_origins_are_exactly_the_addresses_that_end_there(
    configuration: Configuration, tried: list[str], goal: str
) -> None:
    account = configuration.account
    goal = account.look_at(goal).read_as
    found = origins(account, goal)
    for address in tried:
        walk = follow(account, address)
        ends_there = goal in walk.mailboxes or goal in walk.outside
        if account.look_at(address).domain in account.domains or ends_there:
            covered = [it for it in found if it.covers(address)]
            if address != goal or account.look_at(goal).is_mailbox:
                assert bool(covered) == ends_there, (address, covered)
