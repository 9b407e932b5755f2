from __future__ import annotations

from django.test import SimpleTestCase

from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.links import page_of, register_page
from purelymanage.audit.models import Agent, Entry


class LinkTests(SimpleTestCase):
    def entry(self, **references: str) -> Entry:
        entry = log.note(Event.SYNC_REQUESTED, actor=Agent.PANEL, target="the account")
        return log.refer(entry, references)

    def test_an_entry_leads_to_the_first_row_that_has_a_page(self) -> None:
        self.assertEqual(page_of(self.entry(job="12")), "/migrations/jobs/12/")
        self.assertEqual(page_of(self.entry(batch="3")), "/migrations/batches/3/")
        both = self.entry(batch="3", job="12")
        self.assertEqual(page_of(both), "/migrations/jobs/12/")
        self.assertEqual(page_of(self.entry(domains="example.org")), "")
        self.assertEqual(page_of(self.entry()), "")

    def test_what_is_no_key_leads_nowhere(self) -> None:
        for key in ("", "x", "-1", "²", "../people"):
            self.assertEqual(page_of(self.entry(job=key)), "")

    def test_nothing_else_is_referred_to(self) -> None:
        with self.assertRaises(TypeError):
            self.entry(password="canary")
        with self.assertRaises(ValueError):
            register_page("password", "migrations:job-detail")
