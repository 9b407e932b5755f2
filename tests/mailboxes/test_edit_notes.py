from __future__ import annotations

import pytest
from django.utils import timezone

from purelymanage.audit.models import Entry
from purelymanage.mailboxes.models import Mailbox
from purelymanage.mailboxes.operations.notes import notes_digest
from tests.account import add_deletion, fill_account
from tests.cast import HTMX, CastTestCase

PAGE = "/mailboxes/box1@example.org/"
PATH = f"{PAGE}notes/"


class EditNotesTests(CastTestCase):
    def setUp(self) -> None:
        fill_account()
        self.mailbox = Mailbox.objects.get(address="box1@example.org")
        self.client.force_login(self.adam)

    def save(self, **form: str) -> dict[str, str]:
        return {"shown": notes_digest(self.mailbox)} | form

    def test_they_are_kept_and_told(self) -> None:
        form = self.save(tags="Sales,  VIP customer ,sales,", note="Two\r\nlines")
        r = self.client.post(PATH, form)
        self.assertRedirects(r, f"{PAGE}#notes")
        self.mailbox.refresh_from_db()
        self.assertEqual(self.mailbox.tags, ["sales", "vip customer"])
        self.assertEqual(self.mailbox.note, "Two\nlines")
        entry = Entry.objects.latest("pk")
        self.assertIn("the note; tagged sales, vip customer", entry.sentence)
        r = self.client.get(PAGE)
        self.assertContains(r, "Two<br>lines")
        self.assertContains(r, "?tag=vip%20customer")

    def test_the_same_again_is_no_news(self) -> None:
        self.client.post(PATH, self.save(tags="", note=""))
        self.assertFalse(Entry.objects.filter(event="mailbox.noted").exists())

    @pytest.mark.slow
    def test_htmx_gets_the_page_as_it_has_become(self) -> None:
        r = self.client.post(PATH, self.save(note="Ring first"), headers=HTMX)
        self.assertContains(r, "Ring first")
        self.assertContains(r, 'id="mailbox-detail"')

    def test_tags_of_mailboxes_one_sees_are_suggested(self) -> None:
        Mailbox.objects.filter(address="box2@example.org").update(tags=["vip", "b"])
        Mailbox.objects.create(
            address="x@shop.example", domain="shop.example", tags=["here"]
        )
        r = self.client.get(PATH)
        self.assertEqual(r.context["known_tags"], ["b", "here", "vip"])
        self.client.force_login(self.lina)
        r = self.client.get("/mailboxes/x@shop.example/notes/")
        self.assertEqual(r.context["known_tags"], ["here"])

    def test_too_much_is_refused(self) -> None:
        for form, said in (
            ({"tags": ",".join(map(str, range(11)))}, "at most 10 tags"),
            ({"tags": "x" * 31}, "at most 30 characters"),
            ({"note": "x" * 2_001}, "At most 2000 characters"),
        ):
            with self.subTest(said=said):
                r = self.client.post(PATH, self.save(**form))
                self.assertContains(r, said, status_code=422)

    def test_nobody_writes_over_what_they_have_not_seen(self) -> None:
        form = self.save(note="Mine")
        Mailbox.objects.update(note="Theirs")
        r = self.client.post(PATH, form)
        self.assertContains(r, "Theirs", status_code=422)
        self.assertContains(r, "Mine</textarea>", status_code=422)
        self.client.post(PATH, {"note": "Mine", "shown": r.context["shown"]})
        self.mailbox.refresh_from_db()
        self.assertEqual(self.mailbox.note, "Mine")

    def test_what_is_gone_or_goes_keeps_its_note(self) -> None:
        add_deletion(self.olga, "box1@example.org")
        r = self.client.post(PATH, self.save(note="Late"))
        self.assertContains(r, "is to be deleted", status_code=422)
        Mailbox.objects.update(gone_at=timezone.now())
        r = self.client.post(PATH, self.save(note="Late"))
        self.assertContains(r, "not at PurelyMail any more", status_code=422)

    def test_it_is_for_those_who_handle_mailboxes(self) -> None:
        for user, status in ((self.audrey, 403), (self.hedy, 404), (self.lina, 404)):
            self.client.force_login(user)
            with self.subTest(user=user):
                r = self.client.post(PATH, self.save(note="x"))
                self.assertEqual(r.status_code, status)
