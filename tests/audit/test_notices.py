from __future__ import annotations

from datetime import timedelta
from unittest import mock

import pytest

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Right, Role
from purelymanage.audit import log, notices, tasks
from purelymanage.audit.events import Event
from purelymanage.audit.kinds import KIND_OF, KINDS
from purelymanage.audit.models import (
    Agent,
    By,
    Entry,
    Notice,
    NoticeCursor,
    NotificationChoice,
    OutgoingMail,
)
from tests.cast import HTMX, CastTestCase


class MakeNoticesTests(CastTestCase):
    def vanish(self, target: str = "ada@example.org") -> Entry:
        return log.record(Event.MAILBOX_VANISHED, actor=Agent.OUTSIDE, target=target)

    def told(self) -> set[str]:
        return set(Notice.objects.values_list("person__email", flat=True))

    def test_everybody_with_the_right_and_the_scope_hears_of_it(self) -> None:
        self.vanish()
        self.assertEqual(notices.make_notices(), 3)
        others = {"olga@example.org", "adam@example.org", "audrey@example.org"}
        self.assertEqual(self.told(), others)
        self.vanish("ben@shop.example")
        notices.make_notices()
        self.assertEqual(self.told(), others | {"lina@example.org"})

    def test_once(self) -> None:
        self.vanish()
        self.assertEqual(notices.make_notices(), 3)
        self.assertEqual(notices.make_notices(), 0)
        NoticeCursor.objects.update(sequence=0)  # as if it had never been noted
        notices.make_notices()
        self.assertEqual(Notice.objects.count(), 3)

    def test_nobody_hears_of_what_they_did_themselves(self) -> None:
        log.record(
            Event.ENTRIES_EXPORTED,
            actor=self.olga,
            target="the audit log",
            form="CSV",
            filters="all",
        )
        notices.make_notices()
        self.assertEqual(self.told(), {"adam@example.org", "audrey@example.org"})

    def test_of_a_changed_mailbox_they_hear_where_it_was_done_outside(self) -> None:
        for actor in (self.hedy, Agent.OUTSIDE):
            log.record(
                Event.MAILBOX_CHANGED,
                actor=actor,
                target="ada@example.org",
                changes="two-factor sign-in off",
            )
        self.assertEqual(notices.make_notices(), 3)
        said = {str(notice.entry) for notice in Notice.objects.all()}
        self.assertEqual(
            said,
            {
                "Somebody outside this panel changed ada@example.org: two-factor "
                "sign-in off"
            },
        )

    def test_nor_of_becoming_an_owner(self) -> None:
        log.record(Event.OWNER_CREATED, actor=Agent.OPERATOR, target="olga@example.org")
        self.assertEqual(notices.make_notices(), 0)

    def test_nor_those_who_were_switched_off_or_do_not_want_to(self) -> None:
        User.objects.filter(pk=self.adam.pk).update(is_active=False)
        NotificationChoice.objects.create(person=self.olga, kind="outside", by=By.NONE)
        self.vanish()
        notices.make_notices()
        self.assertEqual(self.told(), {"audrey@example.org"})

    def test_what_interests_nobody_is_passed_over(self) -> None:
        log.record(Event.SIGNED_IN, actor=self.adam, target="adam@example.org")
        self.assertEqual(notices.make_notices(), 0)
        self.assertEqual(NoticeCursor.objects.get().sequence, Entry.objects.head()[0])

    def test_a_thousand_at_once_take_a_few_steps(self) -> None:
        with mock.patch.object(notices, "PER_STEP", 3):
            for _ in range(10):
                self.vanish()
            self.assertEqual(notices.make_notices(), 30)

    def test_each_event_is_of_one_kind_at_most(self) -> None:
        count = sum(len(kind.events) for kind in KINDS.values())
        self.assertEqual(count, len(KIND_OF))
        for kind in KINDS.values():
            self.assertTrue(self.olga.may(Right(kind.right)))


class MailNoticesTests(CastTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        User.objects.exclude(pk=cls.audrey.pk).update(is_active=False)

    def happen(self, count: int) -> None:
        for number in range(count):
            log.record(
                Event.DOMAIN_BROKE,
                actor=Agent.PANEL,
                target=f"d{number}.org",
                reason="MX <gone>",
            )
        tasks.tell_people()

    def subjects(self) -> list[str]:
        found = OutgoingMail.objects.order_by("pk").values_list("subject", flat=True)
        return list(found)

    def pass_time(self, minutes: int) -> None:
        for notice in Notice.objects.all():
            notice.created_at -= timedelta(minutes=minutes)
            if notice.mailed_at:
                notice.mailed_at -= timedelta(minutes=minutes)
            notice.save()

    def test_a_few_come_one_by_one(self) -> None:
        self.happen(2)
        said = "The panel saw d0.org break: MX <gone>"
        self.assertEqual(self.subjects()[0], said)
        self.assertEqual(len(self.subjects()), 2)
        to = OutgoingMail.objects.values_list("recipient", flat=True)
        self.assertEqual(set(to), {"audrey@example.org"})
        tasks.tell_people()
        self.assertEqual(len(self.subjects()), 2)

    @pytest.mark.slow
    def test_a_burst_comes_as_one(self) -> None:
        self.happen(300)
        self.assertEqual(self.subjects(), ["Records of domains: 300 events"])

    def test_what_follows_a_burst_waits_and_comes_as_one(self) -> None:
        self.happen(4)
        self.happen(3)
        self.happen(3)
        self.assertEqual(len(self.subjects()), 4)
        self.pass_time(minutes=11)
        tasks.tell_people()
        self.assertEqual(self.subjects()[4:], ["Records of domains: 6 events"])

    def test_a_slow_trickle_is_no_burst(self) -> None:
        for _ in range(8):
            self.happen(1)
            self.pass_time(minutes=3)
        self.assertEqual(len(self.subjects()), 8)

    def test_the_mail_says_what_happened_and_how_to_stop_it(self) -> None:
        with mock.patch.object(notices, "queue_mail", autospec=True) as queue_mail:
            self.happen(1)
        sent = queue_mail.call_args.kwargs
        self.assertIn("break: MX <gone>", sent["text"])
        self.assertIn("/audit/?target=d0.org", sent["text"])
        self.assertIn("/settings/notifications/", sent["text"])
        self.assertIn("<strong>d0.org</strong> break: MX &lt;gone&gt;", sent["html"])

    def test_whoever_lost_the_right_meanwhile_is_not_mailed(self) -> None:
        with mock.patch.object(notices, "mail_notices", return_value=0):
            self.happen(1)
        User.objects.filter(pk=self.audrey.pk).update(role=Role.HELPDESK)
        tasks.tell_people()
        self.assertEqual(self.subjects(), [])

    def test_a_mail_about_a_mail_that_was_given_up_is_never_sent(self) -> None:
        log.record(
            Event.MAIL_GIVEN_UP,
            actor=Agent.PANEL,
            target="audrey@example.org",
            subject="x",
            reason="y",
        )
        self.assertEqual(tasks.tell_people(), "1 notices, 0 mails")

    def test_old_notices_go(self) -> None:
        self.happen(2)
        self.pass_time(minutes=91 * 24 * 60)
        tasks.tell_people()
        self.assertFalse(Notice.objects.exists())


class NoticeListTests(CastTestCase):
    def setUp(self) -> None:
        for number in range(60):
            log.record(
                Event.MAILBOX_VANISHED,
                actor=Agent.OUTSIDE,
                target=f"box{number}@example.org",
            )
        notices.make_notices()
        self.client.force_login(self.audrey)

    def test_it_shows_the_newest_and_the_bell_their_number(self) -> None:
        r = self.client.get("/notices/")
        self.assertContains(r, "box59@example.org")
        self.assertContains(r, "Notifications, 60 new")
        self.assertNotContains(r, "box9@example.org")
        older = r.context["before"]
        r = self.client.get(f"/notices/?before={older}", headers=HTMX)
        self.assertContains(r, "box9@example.org")

    def test_everything_that_was_shown_is_marked(self) -> None:
        newest = self.client.get("/notices/").context["newest"]
        log.record(Event.MAILBOX_VANISHED, actor=Agent.OUTSIDE, target="late@x.org")
        notices.make_notices()
        self.client.post("/notices/read/", {"newest": newest})
        self.assertContains(self.client.get("/"), "Notifications, 1 new")
        self.assertEqual(Notice.objects.of(self.olga).unseen().count(), 61)

    def test_a_wrong_number_marks_nothing(self) -> None:
        for newest in ("", "x", "9" * 30):
            r = self.client.post("/notices/read/", {"newest": newest})
            self.assertRedirects(r, "/notices/")
        self.assertEqual(Notice.objects.of(self.audrey).unseen().count(), 60)

    def test_nobody_sees_those_of_others(self) -> None:
        self.client.force_login(self.lina)
        self.assertContains(self.client.get("/notices/"), "Nothing to tell you")


class NotificationChoicesTests(CastTestCase):
    URL = "/settings/notifications/"

    def test_one_chooses_among_what_the_role_hears_of(self) -> None:
        self.client.force_login(self.audrey)
        r = self.client.get(self.URL)
        self.assertContains(r, "Records of domains")
        self.assertNotContains(r, "People and roles")

        fields = r.context["form"].fields
        choice = {name: field.initial.value for name, field in fields.items()}
        self.client.post(self.URL, choice | {"dns": "none", "people": "mail"})
        kept = NotificationChoice.objects.get()
        self.assertEqual((kept.kind, kept.by), ("dns", By.NONE))
        entry = Entry.objects.latest("sequence")
        self.assertEqual(
            entry.sentence, "chose what to hear of: Records of domains not at all"
        )
        self.client.post(self.URL, choice | {"dns": "mail"})
        self.assertEqual(NotificationChoice.objects.get().by, By.MAIL)

    def test_half_a_form_changes_nothing(self) -> None:
        self.client.force_login(self.audrey)
        for data in ({}, {"dns": "pigeon"}):
            r = self.client.post(self.URL, data)
            self.assertEqual(r.status_code, 422)
        self.assertFalse(NotificationChoice.objects.exists())

    def test_whoever_hears_of_nothing_is_told_so(self) -> None:
        self.client.force_login(self.hedy)
        self.assertContains(self.client.get(self.URL), "Nothing to choose")
