from __future__ import annotations

from django.db import transaction
from django.test import TransactionTestCase

from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.models import Agent, Entry
from tests.cast import CastTestCase


class RecordTests(CastTestCase):
    def test_it_keeps_who_did_what_to_what(self) -> None:
        entry = log.record(
            Event.MAILBOX_CREATED, actor=self.adam, target="ada@example.org"
        )
        self.assertEqual(
            str(entry), "adam@example.org created the mailbox ada@example.org"
        )
        self.assertEqual(entry.domain, "example.org")

    def test_a_detail_that_the_sentence_does_not_name_is_refused(self) -> None:
        with self.assertRaises(TypeError):
            log.record(
                Event.MAILBOX_CREATED,
                actor=self.adam,
                target="ada@example.org",
                password="canary",
            )
        self.assertFalse(Entry.objects.exists())

    def test_a_detail_that_the_sentence_needs_is_asked_for(self) -> None:
        with self.assertRaises(KeyError):
            log.record(Event.SYNC_FAILED, actor=Agent.PANEL, target="account")

    def test_an_event_of_another_version_still_reads(self) -> None:
        entry = Entry(event="mailbox.sung_to", target="ada@example.org")
        self.assertEqual(entry.sentence, "mailbox.sung_to ada@example.org")

    def test_limited_people_see_what_is_about_their_domains(self) -> None:
        for address in ("ada@example.org", "bob@shop.example"):
            log.record(Event.MAILBOX_CREATED, actor=self.adam, target=address)
        seen = Entry.objects.visible_to(self.lina).values_list("target", flat=True)
        self.assertEqual(list(seen), ["bob@shop.example"])
        self.assertEqual(Entry.objects.visible_to(self.audrey).count(), 2)


class TransactionTests(TransactionTestCase):
    def test_it_insists_on_a_transaction(self) -> None:
        with self.assertRaises(RuntimeError):
            log.record(Event.SYNC_REQUESTED, actor=Agent.PANEL, target="account")

    def test_it_goes_with_the_change_it_is_about(self) -> None:
        with self.assertRaises(ValueError), transaction.atomic():
            log.record(Event.SYNC_REQUESTED, actor=Agent.PANEL, target="account")
            raise ValueError
        self.assertFalse(Entry.objects.exists())
