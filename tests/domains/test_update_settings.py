from __future__ import annotations

import pytest

from purelymanage.audit.models import Entry
from purelymanage.deletions.models import PendingDeletion
from purelymanage.domains import operations, tasks
from purelymanage.domains.models import Domain, Health
from purelymanage.errors import Refused
from tests.account import add_deletion
from tests.domains.clock import ClockTestCase


class UpdateSettingsTests(ClockTestCase):
    def setUp(self) -> None:
        super().setUp()
        tasks.sync()
        self.pass_minutes(1)
        self.domain = Domain.objects.get(name="waiting.example")
        self.sandbox.calls.clear()

    def change(self, *, reset: bool = False) -> list[str]:
        return operations.update_settings(
            domain=self.domain, actor=self.adam, allow_account_reset=reset
        )

    def events(self) -> list[str]:
        found = Entry.objects.filter(event__startswith="domain.")
        return list(found.order_by("pk").values_list("event", flat=True))

    def test_it_changes_the_setting(self) -> None:
        self.assertEqual(self.change(), ["account recovery off"])
        self.assertFalse(self.domain.allow_account_reset)
        remote = self.sandbox.account.state.domains["waiting.example"]
        self.assertFalse(remote.allow_account_reset)
        self.assertEqual(self.events(), ["domain.settings_changed"])
        self.assertEqual(
            self.sandbox.calls.as_dict(), {"updateDomainSettings": 1, "listDomains": 1}
        )

    def test_what_is_so_already_is_not_asked_for(self) -> None:
        self.assertEqual(self.change(reset=True), [])
        self.assertEqual(self.sandbox.calls.total, 0)

    def test_success_that_is_none_is_told(self) -> None:
        self.fault("silent_success", "updateDomainSettings")
        with self.assertRaisesMessage(Refused, "nothing changed"):
            self.change()
        self.domain.refresh_from_db()
        self.assertTrue(self.domain.allow_account_reset)
        self.assertEqual(self.events(), ["domain.settings_failed"])

    def test_a_refusal_is_told_in_purelymails_words(self) -> None:
        self.fault("error", "updateDomainSettings", code="x", message="Not today.")
        with self.assertRaisesMessage(Refused, "Not today."):
            self.change()

    def test_an_answer_that_is_lost_does_not_matter(self) -> None:
        self.fault("drop_after", "updateDomainSettings")
        self.assertEqual(self.change(), ["account recovery off"])

    def test_the_sync_does_not_tell_it_as_somebody_elses(self) -> None:
        self.change()
        tasks.sync()
        self.assertNotIn("domain.changed", self.events())

    def test_what_waits_for_its_deletion_is_frozen(self) -> None:
        deletion = add_deletion(self.olga)
        name = self.domain.name
        PendingDeletion.objects.filter(pk=deletion.pk).update(
            kind="domain", key=name, domain=name
        )
        with self.assertRaisesMessage(Refused, "frozen"):
            self.change()

    @pytest.mark.slow
    def test_a_changed_domain_is_looked_at(self) -> None:
        self.change()
        health = Health.objects.get(domain=self.domain)
        self.assertEqual(health.next_look_at, self.now)

    @pytest.mark.slow
    def test_somebody_may_have_purelymail_look_again(self) -> None:
        self.zone("waiting.example")
        self.pass_minutes(5)
        Health.objects.update(rechecked_at=None)
        left = operations.recheck(domain=self.domain, actor=self.adam)
        self.assertEqual(left, [])
        self.assertTrue(self.domain.is_healthy)
        self.assertIn("domain.recheck_requested", self.events())
        with self.assertRaisesMessage(Refused, "Wait a minute"):
            operations.recheck(domain=self.domain, actor=self.olga)
