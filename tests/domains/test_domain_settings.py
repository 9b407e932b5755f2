from __future__ import annotations

from purelymanage.audit.models import Entry
from purelymanage.domains import tasks
from purelymanage.domains.models import Domain, Health
from purelymanage.mailboxes.models import Mailbox
from tests.cast import HTMX
from tests.sandbox import SandboxTestCase

NAME = "shop.example"
RECOVERY = f"/domains/{NAME}/account-recovery/"
SUBADDRESSING = f"/domains/{NAME}/subaddressing/"


class DomainSettingsTests(SandboxTestCase):
    def setUp(self) -> None:
        super().setUp()
        tasks.sync()
        self.sandbox.calls.clear()
        self.domain = Domain.objects.get(name=NAME)
        self.client.force_login(self.adam)

    def set(self, **fields: bool) -> None:
        """Let both sides agree on how it is to begin with."""
        remote = self.sandbox.account.state.domains[NAME]
        for name, value in fields.items():
            setattr(remote, name, value)
        Domain.objects.filter(name=NAME).update(**fields)

    def test_it_warns_before_account_recovery_is_switched_on(self) -> None:
        self.set(allow_account_reset=False)
        r = self.client.get(RECOVERY)
        self.assertContains(r, "take over the whole PurelyMail account")
        self.assertEqual(self.sandbox.calls.names, [])
        r = self.client.post(RECOVERY, {"on": "on"}, headers=HTMX)
        self.assertContains(r, "Account recovery is on.")
        self.assertEqual(r.headers["HX-Retarget"], "#domain-detail")
        self.domain.refresh_from_db()
        self.assertTrue(self.domain.allow_account_reset)
        self.assertTrue(Entry.objects.filter(event="domain.settings_changed").exists())

    def test_it_names_what_subaddressing_breaks(self) -> None:
        self.set(symbolic_subaddressing=True)
        r = self.client.get(SUBADDRESSING)
        self.assertContains(r, "does not arrive at ada@ any more")
        self.set(symbolic_subaddressing=False)
        Mailbox.objects.update_or_create(
            address=f"ada.lovelace@{NAME}", defaults={"domain": NAME}
        )
        r = self.client.get(SUBADDRESSING)
        self.assertContains(r, f"ada.lovelace@{NAME}")
        Mailbox.objects.filter(domain=NAME).delete()
        self.assertContains(self.client.get(SUBADDRESSING), "none loses mail")

    def test_without_scripts_it_returns_to_the_page(self) -> None:
        self.set(symbolic_subaddressing=True)
        r = self.client.post(SUBADDRESSING, {"on": "off"})
        self.assertRedirects(r, f"/domains/{NAME}/#settings")
        self.domain.refresh_from_db()
        self.assertFalse(self.domain.symbolic_subaddressing)

    def test_an_outage_keeps_the_form_and_says_why(self) -> None:
        self.set(allow_account_reset=True)
        self.fault("status_500", "updateDomainSettings", times=None)
        r = self.client.post(RECOVERY, {"on": "off"}, headers=HTMX)
        self.assertContains(r, "was not changed", status_code=502)
        self.assertIn("HX-Reswap", r.headers)

    def test_success_that_changes_nothing_is_told(self) -> None:
        self.set(allow_account_reset=True)
        self.fault("silent_success", "updateDomainSettings")
        r = self.client.post(RECOVERY, {"on": "off"}, headers=HTMX)
        self.assertContains(r, "but nothing changed", status_code=422)
        self.assertContains(r, 'id="settings"', status_code=422)

    def test_a_page_that_follows_what_is_seen_leaves_an_open_form_alone(self) -> None:
        r = self.client.get(RECOVERY, headers=HTMX)
        self.assertContains(r, 'name="editing"')
        r = self.client.get(f"/domains/{NAME}/?editing=1", headers=HTMX)
        self.assertEqual(r.status_code, 204)

    def test_nonsense_is_refused(self) -> None:
        r = self.client.post(RECOVERY, {"on": "maybe"})
        self.assertEqual(r.status_code, 422)

    def test_a_gone_domain_is_closed(self) -> None:
        Domain.objects.filter(name=NAME).update(gone_at="2026-01-01T00:00Z")
        r = self.client.get(RECOVERY)
        self.assertContains(r, "not at PurelyMail any more")
        self.assertNotContains(r, 'name="on"')

    def test_purelymail_is_asked_to_look_again(self) -> None:
        r = self.client.post(f"/domains/{NAME}/recheck/", headers=HTMX)
        self.assertContains(r, "has not been looked at yet", status_code=422)
        Health.objects.create(domain=self.domain)
        r = self.client.post(f"/domains/{NAME}/recheck/", headers=HTMX)
        self.assertContains(r, "has looked again and agrees now.")
        self.assertIn("updateDomainSettings", self.sandbox.calls.names)
        r = self.client.post(f"/domains/{NAME}/recheck/", headers=HTMX)
        self.assertContains(r, "Wait a minute.", status_code=422)
        r = self.client.post(f"/domains/{NAME}/recheck/")
        self.assertRedirects(r, f"/domains/{NAME}/#witnesses")
