"""What a part of the account says, and what all of it says."""

from __future__ import annotations

import random
from random import Random

import pytest

from purelymanage.accounts.models import User
from purelymanage.deletions import registry
from purelymanage.domains.models import Domain
from purelymanage.mailboxes.models import Mailbox
from purelymanage.routing.aftermath import lines, of_mailboxes
from purelymanage.routing.deletions import HANDLER
from purelymanage.routing.model import rules as model
from purelymanage.routing.model.accounts import NotRead
from purelymanage.routing.model.checks import check_rule
from purelymanage.routing.model.following import follow
from purelymanage.routing.model.origins import origins
from purelymanage.routing.model.warnings import warnings
from purelymanage.routing.models import Rule
from purelymanage.routing.presentation import marked, row_of, rows_of
from purelymanage.routing.reading import account_for, part_for, part_towards
from purelymanage.routing.simulation.answers import answer
from purelymanage.routing.verdicts import verdicts_for
from tests.cast import CastTestCase
from tests.effort import calls_of
from tests.routing.configurations import (
    ADDRESSES,
    DOMAINS,
    MAILBOXES,
    Configuration,
    configuration_of,
)

EVERYBODY = User()
LIMITED = User(domain_scope=[DOMAINS[0]])


def write(configuration: Configuration, chance: Random) -> None:
    """Put it into the mirror, some of it as carelessly as people write."""

    def careless(text: str) -> str:
        return chance.choice([text, text, text.upper(), text.capitalize()])

    for rows in (Rule, Mailbox, Domain):
        rows.objects.all().delete()
    Domain.objects.bulk_create(
        Domain(name=name, symbolic_subaddressing=is_on)
        for name, is_on in zip(DOMAINS, configuration.subaddressing, strict=True)
    )
    Mailbox.objects.bulk_create(
        Mailbox(address=it, domain=it.partition("@")[2])
        for it in configuration.mailboxes
    )
    Rule.objects.bulk_create(
        Rule(
            remote_id=rule.id,
            domain=rule.domain,
            match_user=careless(rule.match_user),
            prefix=rule.prefix,
            catchall=rule.catchall,
            targets=[
                chance.choice(["", " "]) + careless(target) for target in rule.targets
            ],
        )
        for rule in configuration.rules
    )


def agree(user: User, chance: Random) -> None:
    whole = account_for(user)
    for address in chance.sample(ADDRESSES, 3):
        part = part_for(user, addresses=[address])
        walks = [follow(account, address) for account in (part, whole)]
        assert walks[0] == walks[1], address
        assert answer(part, walks[0]) == answer(whole, walks[1]), address

    for goal in (*chance.sample(sorted(MAILBOXES), 2), chance.choice(ADDRESSES)):
        # Before they are cut to what is shown.
        assert origins(part_towards(user, goal), goal) == origins(whole, goal), goal

    found = warnings(whole)
    rules = list(Rule.objects.visible_to(user))
    shown = chance.sample(rules, len(rules) // 2)
    for drawn in rows_of(shown, user):
        mine = model.Rule.of(drawn.rule, id=drawn.rule.remote_id)
        assert drawn.findings == found.get(mine, ()), mine
        assert drawn.targets == row_of(whole, drawn.rule).targets, mine
    assert set(verdicts_for(user).of(())) == {it.id for it in found}

    mirrored = registry.mirrored_account()
    for row in shown[:2]:
        mine = model.Rule.of(row, id=row.remote_id)
        part = HANDLER.modelled(mirrored, of_domain=row.domain)
        assert lines(part, mine) == lines(HANDLER.modelled(mirrored), mine), mine
    every = HANDLER.modelled(mirrored)
    for number in (1, 3):
        going = chance.sample(sorted(MAILBOXES), number)
        around = HANDLER.around(mirrored, going)
        assert of_mailboxes(around, going) == of_mailboxes(every, going), going
        target = chance.choice(ADDRESSES)
        around = HANDLER.around(mirrored, [going[0], target])
        assert follow(around.without(going[0]), target) == follow(
            every.without(going[0]), target
        ), target

    # One that is there, to be replaced by what another one does.
    known = configuration_of(chance).rules
    for old, wanted in zip(shown[:2], known, strict=False):
        rule = model.Rule.of(wanted)
        part = part_for(
            user,
            domains={rule.domain, old.domain},
            addresses=[*rule.targets, *old.targets],
        )
        replaced = model.Rule.of(old, id=old.remote_id)
        for gone in (None, replaced):
            assert check_rule(part, rule, replaced=gone) == check_rule(
                whole, rule, replaced=gone
            ), (rule, gone)
        assert marked(part.exchanged(replaced, rule), rule) == marked(
            whole.exchanged(replaced, rule), rule
        )


class AgreementTests(CastTestCase):
    def agree_for(self, number: int) -> None:
        first = random.randrange(2**32)  # noqa: S311  # others each time
        for seed in range(first, first + number):
            chance = Random(seed)  # noqa: S311
            configuration = configuration_of(chance)
            write(configuration, chance)
            for user in (EVERYBODY, LIMITED):
                try:
                    agree(user, chance)
                except (AssertionError, NotRead) as exc:
                    exc.add_note(f"seed {seed}, {user.domain_scope}: {configuration}")
                    raise

    @pytest.mark.slow
    def test_a_part_says_what_the_whole_says(self) -> None:
        self.agree_for(4)

    @pytest.mark.slow
    def test_many_parts_say_what_the_whole_says(self) -> None:
        self.agree_for(60)


class PartTests(CastTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        Domain.objects.create(name="example.org", symbolic_subaddressing=True)

    def add(self, name: str, *targets: str, domain: str = "example.org") -> Rule:
        return Rule.objects.create(
            remote_id=Rule.objects.count() + 1,
            domain=domain,
            match_user=name,
            prefix=False,
            catchall=False,
            targets=list(targets),
        )

    def test_what_was_not_read_is_refused_and_not_guessed(self) -> None:
        part = part_for(self.olga, addresses=["info@example.org"])
        self.assertIsNone(part.look_at("info@example.org").rule)
        for question in (
            lambda: part.look_at("anna@example.org"),
            lambda: part.boxes_of("example.org"),
            lambda: part.rules_for("example.org"),
        ):
            self.assertRaises(NotRead, question)

    def test_letters_that_only_python_writes_small_are_found(self) -> None:
        self.add("ÄHRE", "Ährenfeld@example.org")
        self.add("ährenFELD", "x@far.example")
        part = part_for(self.olga, addresses=["ähre@example.org"])
        self.assertEqual(follow(part, "ähre@example.org").outside, ["x@far.example"])

    def test_a_long_way_is_followed_to_its_end(self) -> None:
        for number in range(12):
            self.add(f"hop{number}", f"hop{number + 1}@example.org")
        part = part_for(self.olga, addresses=["hop0@example.org"])
        self.assertEqual(
            follow(part, "hop0@example.org").bounces, ["hop12@example.org"]
        )

    def test_it_takes_no_longer_where_there_is_more_of_everything(self) -> None:
        self.add("info", "anna@example.org")

        def ask() -> None:
            part = part_for(self.olga, addresses=["info@example.org"])
            follow(part, "info@example.org")

        ask()
        few = calls_of(ask)
        for number in range(300):
            self.add(f"other{number}", f"anna{number}@example.org")
        with self.assertNumQueries(4):
            ask()
        self.assertLess(calls_of(ask), 1.2 * few)
