from __future__ import annotations

from datetime import UTC, datetime
from unittest import mock

from django.db import connection, transaction
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from purelymanage.audit import log, pages
from purelymanage.audit.events import EVENTS, Event
from purelymanage.audit.fields import FIELDS
from purelymanage.audit.history import history_of
from purelymanage.audit.models import Agent, ChainCheck, Entry
from purelymanage.audit.subjects import SUBJECTS
from tests.audit.test_chain import write
from tests.cast import HTMX, CastTestCase


class EntryListTests(CastTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        with transaction.atomic():
            log.record(Event.MAILBOX_CREATED, actor=cls.adam, target="anna@example.org")
            log.record(
                Event.MAILBOX_VANISHED, actor=Agent.OUTSIDE, target="ben@shop.example"
            )
            log.record(
                Event.DOMAIN_CHANGED,
                actor=Agent.OUTSIDE,
                target="example.org",
                changes="the <b>MX</b>",
            )

    def setUp(self) -> None:
        self.client.force_login(self.audrey)

    def get(self, **asked: str | int) -> str:
        r = self.client.get("/audit/", asked, headers=HTMX)
        self.assertEqual(r.status_code, 200)
        return r.content.decode()

    def test_it_tells_who_did_what_newest_first(self) -> None:
        r = self.client.get("/audit/")
        self.assertContains(r, "Somebody outside this panel")
        self.assertContains(r, "removed the mailbox <strong>ben@shop.example</strong>")
        said = r.content.decode().partition("<tbody>")[2]
        self.assertLess(said.index("ben@shop.example"), said.index("anna@example.org"))

    def test_what_was_recorded_does_not_become_html(self) -> None:
        said = self.get(target="example.org")
        self.assertIn("the &lt;b&gt;MX&lt;/b&gt;", said)

    def test_the_search_looks_at_people_targets_actions_and_details(self) -> None:
        for words in ("adam", "anna@", "mailbox.created", "ADAM anna"):
            with self.subTest(words=words):
                said = self.get(q=words)
                self.assertIn("created the mailbox", said)
                self.assertNotIn("ben@shop.example", said)
        self.assertIn("changed <strong>example.org", self.get(q="MX"))

    def test_each_filter_narrows(self) -> None:
        for asked in (
            {"actor": "adam@example.org"},
            {"what": "mailbox.created"},
            {"what": "mailbox", "q": "anna"},
            {"target": "anna@example.org"},
        ):
            with self.subTest(asked=asked):
                said = self.get(**asked)
                self.assertIn("1 entry found" if "q" not in asked else "found", said)
                self.assertIn("anna@example.org", said)
                self.assertNotIn("ben@shop.example", said)

    def test_a_filter_is_kept_in_the_page_and_in_its_exports(self) -> None:
        r = self.client.get("/audit/?actor=adam@example.org&what=mailbox&since=")
        self.assertContains(
            r, '<option value="adam@example.org" selected>adam@example.org</option>'
        )
        self.assertContains(r, "/csv/?actor=adam%40example.org&amp;what=mailbox")

    @override_settings(TIME_ZONE="Europe/Berlin")
    def test_days_are_whole_days_here(self) -> None:
        # 23:30 UTC of the 9th is half past midnight of the 10th in Berlin.
        moment = datetime(2026, 1, 9, 23, 30, tzinfo=UTC)
        with mock.patch.object(timezone, "now", return_value=moment):
            log.record(Event.SIGNED_IN, actor=self.olga, target="olga@example.org")
        for since, until, is_there in (
            ("2026-01-10", "2026-01-10", True),
            ("", "2026-01-09", False),
            ("", "2026-01-10", True),
            ("2026-01-11", "2026-01-12", False),
        ):
            with self.subTest(since=since, until=until):
                said = self.get(since=since, until=until, target="olga@example.org")
                self.assertEqual("1 entry found" in said, is_there)

    def test_a_day_that_is_none_is_said(self) -> None:
        for since in ("yesterday", "2026-02-31", "0000-00-00"):
            r = self.client.get("/audit/", {"since": since}, headers=HTMX)
            self.assertContains(r, "Enter a valid date", status_code=422)
            self.assertNotContains(r, "anna@example.org", status_code=422)
        self.assertContains(
            self.client.get("/audit/", {"since": "x"}), "valid date", status_code=422
        )

    def test_days_at_the_end_of_time_are_refused(self) -> None:
        for day in ({"since": "0001-01-01"}, {"until": "9999-12-31"}):
            r = self.client.get("/audit/", day)
            self.assertContains(r, "between 1970 and 9999", status_code=422)
            r = self.client.get("/audit/export/csv/", day)
            self.assertEqual(r.status_code, 404)

    def test_no_match_offers_to_clear_the_filter(self) -> None:
        self.assertContains(self.client.get("/audit/?q=nobody"), "Clear the filter")

    def test_limited_people_see_what_is_about_their_domains(self) -> None:
        self.client.force_login(self.lina)
        r = self.client.get("/audit/")
        self.assertContains(r, "ben@shop.example")
        self.assertNotContains(r, "anna@example.org")
        self.assertNotContains(r, "adam@example.org")

    def test_it_says_whether_the_chain_was_verified(self) -> None:
        self.assertContains(self.client.get("/audit/"), "Not verified yet")
        check = ChainCheck.objects.create(finished_at=timezone.now(), sequence=3)
        self.assertContains(self.client.get("/audit/"), "Chain verified")
        check.problem = "Entry 2 (mailbox.created anna@example.org) is missing."
        check.save()
        self.assertContains(self.client.get("/audit/"), "Entry 2 (mailbox.created")
        self.client.force_login(self.lina)
        self.assertNotContains(self.client.get("/audit/"), "anna@example.org")

    def test_odd_places_show_the_newest(self) -> None:
        for place in ("x", "-1", "9" * 40, "\u0661", ""):
            self.assertIn("ben@shop.example", self.get(before=place))


class PagesTests(CastTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        write(120)

    def setUp(self) -> None:
        self.client.force_login(self.audrey)

    def numbers(self, **asked: str | int) -> list[int]:
        asked["what"] = "mailbox"  # not the sign-in of this test
        page = self.client.get("/audit/", asked, headers=HTMX).context["page"]
        return [entry.sequence for entry in page.entries]

    def test_pages_follow_the_chain(self) -> None:
        self.assertEqual(self.numbers(), list(range(120, 70, -1)))
        self.assertEqual(self.numbers(before=71), list(range(70, 20, -1)))
        self.assertEqual(self.numbers(before=21), list(range(20, 0, -1)))
        self.assertEqual(self.numbers(after=20), list(range(70, 20, -1)))

    def test_the_newest_page_is_full_wherever_one_comes_from(self) -> None:
        self.assertEqual(self.numbers(after=100), list(range(120, 70, -1)))

    def test_the_links_lead_to_the_next_pages(self) -> None:
        r = self.client.get("/audit/?before=71&what=mailbox")
        self.assertContains(r, "before=21&amp;what=mailbox")
        self.assertContains(r, "what=mailbox&amp;after=70")

    def test_a_page_costs_the_same_at_both_ends(self) -> None:
        self.client.get("/audit/")
        for path in ("/audit/", "/audit/?before=21"):
            with CaptureQueriesContext(connection) as queries:
                self.client.get(path, headers=HTMX)
            asked = [it["sql"] for it in queries if "audit_entry" in it["sql"]]
            self.assertLessEqual(len(asked), 3)
            for sql in asked:
                self.assertRegex(sql, r"LIMIT (1|51)$")

    def test_a_search_stops_after_a_while_and_can_go_on(self) -> None:
        with mock.patch.object(pages, "WINDOW", 60):
            r = self.client.get("/audit/", {"q": "box3@"}, headers=HTMX)
            self.assertContains(r, "Search further back")
            self.assertEqual(self.numbers(q="box3@", before=61), [4])

    def test_many_matches_are_not_counted(self) -> None:
        with (
            mock.patch("purelymanage.audit.views.entries.COUNTED", 10),
            mock.patch.object(pages, "COUNTED", 10),
        ):
            r = self.client.get("/audit/?what=mailbox", headers=HTMX)
        self.assertContains(r, "More than 10 entries")


class HistoryTests(CastTestCase):
    def test_it_is_about_one_thing_and_whoever_may_see_it(self) -> None:
        write(2)
        history = history_of("box0@example.org", self.audrey)
        assert history
        self.assertEqual([entry.sequence for entry in history.entries], [1])
        limited = history_of("box0@example.org", self.lina)
        assert limited
        self.assertEqual(limited.entries, [])
        self.assertIsNone(history_of("box0@example.org", self.hedy))


class EventTests(CastTestCase):
    def test_every_event_has_a_subject_and_an_unmistakable_code(self) -> None:
        codes = list(EVENTS)
        self.assertEqual(len(codes), len(set(codes)))
        for code in codes:
            self.assertIn(code.partition(".")[0], SUBJECTS)

    def test_no_event_declares_a_place_for_a_secret(self) -> None:
        for event in EVENTS.values():
            places = event.label.lower() + " ".join(FIELDS.get(event, ()))
            for word in ("{password", "{secret", "{token", "{key", "{code"):
                self.assertNotIn(word, places)
        fields = {name for names in FIELDS.values() for name in names}
        self.assertFalse(fields & {"password", "secret", "token", "key"})

    def test_every_entry_can_be_shown(self) -> None:
        for event in [*EVENTS, "mailbox.sung_to"]:
            entry = Entry(event=event, target="<x>", recorded_at=timezone.now())
            self.assertNotIn("<x>", entry.marked_sentence)
