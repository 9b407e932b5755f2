"""Mail that the panel sends: queued with the change it is about, sent by workers."""

from __future__ import annotations

import json
import smtplib
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import cache
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection, models, transaction
from django.utils import timezone
from django_q.tasks import async_task

from purelymanage import crypto
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.models import Agent, OutgoingMail

# The pauses between tries in minutes; the last one repeats until mail is given up.
PAUSES = (1, 5, 15, 60, 4 * 60)
GIVEN_UP_AFTER = timedelta(days=3)
PER_PASS = 200
LOCK = 7_245_001  # any number that no other advisory lock of the panel uses

SILENT = "mail:server-is-silent"
SILENT_FOR = 50  # seconds, so that the sweep of each minute tries again


def queue_mail(*, to: str, subject: str, text: str, html: str = "") -> OutgoingMail:
    """Send a mail as soon as the transaction around has been committed."""
    mail = OutgoingMail(recipient=to, subject=" ".join(subject.split())[:200])
    mail.sealed = crypto.seal(json.dumps([text, html]), bound_to=mail.place)
    with transaction.atomic():
        mail.save(force_insert=True)
        async_task("purelymanage.audit.tasks.send_due_mail")
    return mail


def queue_message(message: EmailMessage) -> None:
    """Queue a message that Django or allauth has composed, for each recipient."""
    alternatives = getattr(message, "alternatives", [])
    html = [str(body) for body, kind in alternatives if kind == "text/html"]
    text = str(message.body)
    if message.content_subtype == "html":
        text, html = "", [text]
    with transaction.atomic():
        for address in message.recipients():
            queue_mail(
                to=address, subject=str(message.subject), text=text, html="".join(html)
            )


def try_at_once(mail: OutgoingMail) -> bool:
    """Try a mail again that waits for its next try; tell whether there was need to.

    For somebody who has just set right what was wrong, and watches.
    """
    waits = OutgoingMail.objects.waiting().filter(pk=mail.pk).exclude(last_error="")
    if not waits.update(next_try_at=timezone.now(), last_error=""):
        return False
    cache.delete(SILENT)
    async_task("purelymanage.audit.tasks.send_due_mail")
    return True


def send_due() -> int:
    """Send what is due, one mail after the other, and return how many went out.

    A server that does not answer ends the pass: it holds one worker for one timeout a
    minute, however much mail is waiting.
    """
    if _is_silent():
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
    try:
        return _send_pass()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def tidy() -> int:
    """Take back mail of dead workers and forget what was settled long ago."""
    now = timezone.now()
    OutgoingMail.objects.forgettable(now).delete()
    OutgoingMail.objects.from_later(now).update(next_try_at=now, queued_at=now)
    # Mail that goes out twice is better than mail that never does.
    return OutgoingMail.objects.lost(now).update(
        state=OutgoingMail.State.WAITING, next_try_at=now, claimed_at=None
    )


def _send_pass() -> int:
    sent = 0
    server: BaseEmailBackend = get_connection()
    try:
        for _ in range(PER_PASS):
            mail = _claim()
            if mail is None:
                break
            try:
                _hand_over(mail, server)
            except crypto.Unreadable:
                _give_up(mail, "Its text cannot be opened any more.")
            except smtplib.SMTPRecipientsRefused as exc:
                code, answer = next(iter(exc.recipients.values()))
                _refused(mail, code, answer)
            except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as exc:
                _refused(mail, exc.smtp_code, exc.smtp_error)
            except (OSError, smtplib.SMTPException) as exc:
                _postpone(mail, _technical(exc))
                _postpone_others(mail.next_try_at)
                cache.set(SILENT, timezone.now().timestamp(), SILENT_FOR)
                break
            except ValueError as exc:  # a header with a line break, an odd address
                _give_up(mail, _technical(exc))
            else:
                _settle(mail, OutgoingMail.State.SENT)
                sent += 1
    finally:
        _hang_up(server)
    return sent


def _is_silent() -> bool:
    """Whether the server did not answer a moment ago, by a clock that is right."""
    since: float | None = cache.get(SILENT)
    if since is None:
        return False
    return abs(timezone.now().timestamp() - since) < SILENT_FOR


def _claim() -> OutgoingMail | None:
    """Take the mail that has waited longest."""
    now = timezone.now()
    for pk in OutgoingMail.objects.due(now).values_list("pk", flat=True)[:20]:
        if (
            OutgoingMail.objects.waiting()
            .filter(pk=pk)
            .update(
                state=OutgoingMail.State.SENDING,
                claimed_at=now,
                tries=models.F("tries") + 1,
            )
        ):
            return OutgoingMail.objects.get(pk=pk)
    return None


def _hand_over(mail: OutgoingMail, server: BaseEmailBackend) -> None:
    text, html = json.loads(crypto.unseal(mail.sealed, bound_to=mail.place))
    message = EmailMultiAlternatives(
        mail.subject,
        text,
        to=[mail.recipient],
        connection=server,
        headers={
            # The same at each try, so that a second delivery can be told apart.
            "Message-ID": f"<{mail.uuid}@{urlsplit(settings.BASE_URL).hostname}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    if html:
        message.attach_alternative(html, "text/html")
    server.open()
    server.send_messages([message])


def _hang_up(server: BaseEmailBackend) -> None:
    try:
        server.close()
    except (OSError, smtplib.SMTPException):
        return


def _refused(mail: OutgoingMail, code: int, answer: bytes | str) -> None:
    """Settle by what the server said: 4xx may pass later, 5xx never will."""
    said = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    reason = f"{code} {said}"[:300]
    if code < 500:
        _postpone(mail, reason)
    else:
        _give_up(mail, reason)


def _postpone(mail: OutgoingMail, reason: str) -> None:
    now = timezone.now()
    if now - mail.queued_at > GIVEN_UP_AFTER:
        _give_up(mail, reason)
        return
    pause = PAUSES[min(mail.tries, len(PAUSES)) - 1]
    mail.state = OutgoingMail.State.WAITING
    mail.next_try_at = now + timedelta(minutes=pause)
    mail.claimed_at = None
    mail.last_error = reason[:300]
    mail.save(update_fields=["state", "next_try_at", "claimed_at", "last_error"])


def _postpone_others(until: datetime) -> None:
    """Spare the rest of the queue a try that would only wait for the timeout."""
    OutgoingMail.objects.due(timezone.now()).update(
        next_try_at=min(until, timezone.now() + timedelta(minutes=PAUSES[0]))
    )


@transaction.atomic(durable=True)
def _give_up(mail: OutgoingMail, reason: str) -> None:
    mail.last_error = reason[:300]
    mail.save(update_fields=["last_error"])
    _settle(mail, OutgoingMail.State.FAILED)
    log.record(
        Event.MAIL_GIVEN_UP,
        actor=Agent.PANEL,
        target=mail.recipient,
        subject=mail.subject,
        reason=mail.last_error,
    )


def _settle(mail: OutgoingMail, state: OutgoingMail.State) -> None:
    mail.state = state
    mail.sealed = ""
    mail.settled_at = timezone.now()
    mail.claimed_at = None
    mail.save(update_fields=["state", "sealed", "settled_at", "claimed_at"])


def _technical(exc: Exception) -> str:
    return f"{type(exc).__name__}: {exc}"[:300]
