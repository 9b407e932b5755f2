from __future__ import annotations

import smtplib
import socket
import threading
from datetime import timedelta
from unittest import mock

import pytest
from django.core import mail as outbox
from django.core.cache import cache
from django.core.mail import EmailMultiAlternatives
from django.db import connection, transaction
from django.test import TestCase, TransactionTestCase, override_settings
from django.utils import timezone
from django_q.models import OrmQ

from purelymanage.audit import mail, tasks
from purelymanage.audit.models import Entry, OutgoingMail
from tests.audit.mail_server import silent_server, smtp_server

SMTP = "django.core.mail.backends.smtp.EmailBackend"


class QueueMailTests(TestCase):
    def queue(self, **changes: str) -> OutgoingMail:
        values = {
            "to": "ada@example.org",
            "subject": "Hello",
            "text": "Come in: /x/secret-of-the-link",
        }
        mail.queue_mail(**(values | changes))
        return OutgoingMail.objects.latest("pk")

    def test_it_seals_the_text_and_wakes_a_worker(self) -> None:
        queued = self.queue()
        self.assertNotIn("secret-of-the-link", queued.sealed)
        task = OrmQ.objects.get().task
        self.assertEqual(task["func"], "purelymanage.audit.tasks.send_due_mail")

    def test_a_line_break_does_not_get_into_the_subject(self) -> None:
        self.assertEqual(self.queue(subject="a\r\nBcc: b").subject, "a Bcc: b")

    def test_it_is_sent_once_and_the_text_erased(self) -> None:
        queued = self.queue(html="<p>Come in</p>")
        self.assertEqual(tasks.send_due_mail(), "1 mails sent")
        self.assertEqual(tasks.sweep_mail(), "0 mails taken back, 0 sent")
        (sent,) = outbox.outbox
        self.assertEqual(sent.to, ["ada@example.org"])
        self.assertEqual(sent.body, "Come in: /x/secret-of-the-link")
        assert isinstance(sent, EmailMultiAlternatives)
        self.assertEqual(sent.alternatives[0][0], "<p>Come in</p>")
        queued.refresh_from_db()
        self.assertEqual((queued.state, queued.sealed), ("sent", ""))

    def test_a_composed_message_goes_to_each_recipient(self) -> None:
        message = EmailMultiAlternatives("Reset", "Link", to=["a@x.org", "b@x.org"])
        message.attach_alternative("<a>Link</a>", "text/html")
        mail.queue_message(message)
        recipients = OutgoingMail.objects.values_list("recipient", flat=True)
        self.assertEqual(sorted(recipients), ["a@x.org", "b@x.org"])

    def test_a_text_moved_to_another_row_is_not_sent(self) -> None:
        first = self.queue()
        second = self.queue(to="mallory@example.org")
        OutgoingMail.objects.filter(pk=second.pk).update(sealed=first.sealed)
        mail.send_due()
        second.refresh_from_db()
        self.assertEqual(second.state, OutgoingMail.State.FAILED)
        self.assertEqual(len(outbox.outbox), 1)

    def test_mail_of_a_dead_worker_comes_back(self) -> None:
        queued = self.queue()
        an_hour_ago = timezone.now() - timedelta(hours=1)
        OutgoingMail.objects.update(state="sending", claimed_at=an_hour_ago)
        self.assertEqual(tasks.sweep_mail(), "1 mails taken back, 1 sent")
        queued.refresh_from_db()
        self.assertEqual(queued.state, OutgoingMail.State.SENT)

    def test_settled_mail_is_forgotten_after_a_month(self) -> None:
        self.queue()
        mail.send_due()
        OutgoingMail.objects.update(settled_at=timezone.now() - timedelta(days=31))
        mail.tidy()
        self.assertFalse(OutgoingMail.objects.exists())


@override_settings(EMAIL_BACKEND=SMTP, EMAIL_HOST="127.0.0.1", EMAIL_TIMEOUT=1)
class DeliveryTests(TransactionTestCase):
    def setUp(self) -> None:
        cache.clear()
        for name in ("one", "two", "three"):
            mail.queue_mail(to=f"{name}@example.org", subject="Hello", text="Hi")

    def later(self, minutes: int) -> None:
        cache.clear()
        pause = timedelta(minutes=minutes)
        for queued in OutgoingMail.objects.all():
            queued.next_try_at -= pause
            queued.queued_at -= pause
            queued.save()

    def test_a_server_takes_everything_over_one_connection(self) -> None:
        with smtp_server() as server, self.settings(EMAIL_PORT=server.port):
            self.assertEqual(mail.send_due(), 3)
        self.assertEqual(len(server.taken), 3)
        self.assertEqual(server.connections, 1)

    def test_a_dead_server_loses_nothing(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        with self.settings(EMAIL_PORT=port):
            self.assertEqual(mail.send_due(), 0)
        self.assertEqual(OutgoingMail.objects.waiting().count(), 3)
        self.later(minutes=2)
        with smtp_server() as server, self.settings(EMAIL_PORT=server.port):
            self.assertEqual(mail.send_due(), 3)

    @pytest.mark.slow
    def test_a_hanging_server_costs_one_timeout_for_all(self) -> None:
        with silent_server() as server, self.settings(EMAIL_PORT=server.port):
            mail.send_due()
            mail.queue_mail(to="four@example.org", subject="Hello", text="Hi")
            mail.send_due()
            self.assertEqual(server.count_connections(), 1)
        self.assertEqual(OutgoingMail.objects.waiting().count(), 4)

    def test_the_pauses_grow_until_it_is_given_up(self) -> None:
        OutgoingMail.objects.exclude(recipient="one@example.org").delete()
        pauses = []
        with mock.patch("smtplib.SMTP.connect", side_effect=ConnectionRefusedError):
            for _ in range(30):
                mail.send_due()
                queued = OutgoingMail.objects.get()
                if queued.state == OutgoingMail.State.FAILED:
                    break
                pause = queued.next_try_at - timezone.now()
                pauses.append(round(pause.total_seconds() / 60))
                self.later(minutes=pauses[-1] + 1)
        self.assertEqual(pauses[:6], [1, 5, 15, 60, 240, 240])
        self.assertEqual(sum(pauses) // (24 * 60), 3)
        self.assertEqual(queued.sealed, "")
        entry = Entry.objects.get()
        self.assertIn("gave up the mail “Hello” to one@example.org", entry.sentence)

    def test_a_refused_recipient_does_not_hold_up_the_others(self) -> None:
        with (
            smtp_server(refuses="two@example.org") as server,
            self.settings(EMAIL_PORT=server.port),
        ):
            self.assertEqual(mail.send_due(), 2)
        failed = OutgoingMail.objects.get(state=OutgoingMail.State.FAILED)
        self.assertEqual(failed.recipient, "two@example.org")
        self.assertIn("550", failed.last_error)

    def test_a_recipient_who_is_busy_is_tried_again(self) -> None:
        busy = {"two@example.org": (451, b"try later")}
        refusal = smtplib.SMTPRecipientsRefused(busy)
        with (
            mock.patch("smtplib.SMTP.sendmail", side_effect=refusal),
            smtp_server() as server,
            self.settings(EMAIL_PORT=server.port),
        ):
            mail.send_due()
        self.assertEqual(OutgoingMail.objects.waiting().count(), 3)

    def test_two_workers_send_nothing_twice(self) -> None:
        def work() -> None:
            try:
                mail.send_due()
            finally:
                connection.close()

        with smtp_server() as server, self.settings(EMAIL_PORT=server.port):
            workers = [threading.Thread(target=work) for _ in range(6)]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
        self.assertEqual(len(server.taken), 3)

    def test_it_goes_with_the_change_it_is_about(self) -> None:
        OutgoingMail.objects.all().delete()
        with self.assertRaises(ValueError), transaction.atomic():
            mail.queue_mail(to="one@example.org", subject="Hello", text="Hi")
            raise ValueError
        self.assertFalse(OutgoingMail.objects.exists())
