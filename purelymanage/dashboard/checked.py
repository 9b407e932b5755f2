"""What checks have found, in the words that all who tell of it share.

`manage.py doctor`, the health page and the pages for setting up look at the same
things: who reads of a fault in one of them finds it by these words in the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from django.conf import settings

from purelymanage import crypto, operating
from purelymanage.audit import key_proofs
from purelymanage.dashboard.doctor.results import (
    Result,
    Tone,
    attention,
    broken,
    good,
)
from purelymanage.dashboard.findings import Finding
from purelymanage.dashboard.machine import Disk
from purelymanage.figures import in_bytes
from purelymanage.purelymail.client import get_client
from purelymanage.purelymail.errors import PurelymailError, explained


def next_step(sentence: str) -> str:
    """Return what to do about a problem or a warning of the vitals."""
    steps = (step for start, step in _next_steps() if sentence.startswith(start))
    return next(steps, "")


def _next_steps() -> Iterator[tuple[str, str]]:
    """Yield how each of them begins, and the next step where there is one."""
    start = operating.start_workers()
    yield "Nobody works", f"Start them: {start} What waits goes on by itself then."
    yield (
        "The database has",
        "Make room on its disk; everything goes on by itself then.",
    )
    yield "The database is not", operating.command("migrate")
    yield (
        "Short tasks",
        (
            "Either there is more to do than the workers manage, and WORKERS should be "
            "higher, or they hang: their log says on what."
        ),
    )
    yield "The account has not", "The workers do so every hour: see whether they run."
    yield (
        "The account could",
        ("The panel tries again every hour. The dashboard says why it failed."),
    )
    yield (
        "Mail waits",
        (
            f"Mail goes where {operating.where('EMAIL_URL')} says; an owner can send a test "
            "mail from the settings of the organisation."
        ),
    )
    yield "Mail was", "The audit log names each of them with the reason."
    yield (
        "The clock",
        (
            "Let both follow a time server (timedatectl set-ntp true). Codes and links go "
            "by the clock."
        ),
    )


def findings(results: Iterable[Result]) -> Iterator[Finding]:
    """Return what is not well, as pages show it."""
    for it in results:
        if it.tone != Tone.GOOD:
            yield Finding(it.tone, it.sentence, it.fix)


def purelymail(*, patience: float = 2, timeout: float = 8) -> tuple[Result, Decimal]:
    """Ask PurelyMail for the credit, which proves the token and changes nothing."""
    subject = "PurelyMail"
    try:
        client = get_client(patience=patience, timeout=timeout)
        credit = client.check_account_credit()
    except PurelymailError as exc:
        return broken(subject, *explained(exc)), Decimal()
    return good(subject, f"The token is right; the credit is ${credit:.2f}."), credit


def keys() -> list[Result]:
    """Tell whether this process has the keys that the database was written with."""
    subject = "keys of this database"
    try:
        found = key_proofs.find_problems()
    except crypto.Malformed as exc:
        found = [str(exc)]
    problems = [
        broken(subject, problem, "The backup holds the right keys.")
        for problem in found
    ]
    right = "The keys are those that this database was written with."
    return problems or [good(subject, right)]


def room_on(disk: Disk) -> Result:
    sentence = f"{in_bytes(disk.free)} are free for {disk.purpose}."
    if disk.tone == "good":
        return good("disks", sentence)
    look = broken if disk.tone == "broken" else attention
    step = f"Make room on the disk of {disk.path}: a full one stops the panel."
    return look("disks", f"Only {sentence}", step)


def mail_settings() -> Iterator[Result]:
    subject, backend = "mail settings", settings.EMAIL_BACKEND
    if "smtp" not in backend:
        step = "Name a mail server in EMAIL_URL, or nobody is told of anything."
        if "filebased" in backend:
            folder = getattr(settings, "EMAIL_FILE_PATH", "a file")
            step = f"It is written to {folder}. {step}"
        yield attention(subject, "Mail does not leave this machine.", step)
    elif not (settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL):
        yield attention(
            subject,
            f"Mail goes to {settings.EMAIL_HOST} without encryption.",
            "Write smtp+tls:// or smtp+ssl:// in EMAIL_URL.",
        )
    else:
        yield good(subject, f"Mail goes to {settings.EMAIL_HOST}, encrypted.")
    if settings.DEFAULT_FROM_EMAIL.endswith("@localhost>") and "smtp" in backend:
        yield attention(
            subject,
            "Mail comes from an address at localhost, which others refuse.",
            "Put an address of yours into DEFAULT_FROM_EMAIL.",
        )


def shut_out(detail: str = "") -> Result:
    """Say that the mail server knows user or password otherwise."""
    words = f"{settings.EMAIL_HOST} does not let the panel in{_in_brackets(detail)}."
    return broken("mail server", words, _see_mail_server())


def unanswered(detail: str = "") -> Result:
    """Say that there is no mail server where one should be."""
    server = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    words = f"{server} does not answer as it should{_in_brackets(detail)}."
    return broken("mail server", words, _see_mail_server())


def not_sent(reason: str) -> Result:
    """Explain why a mail could not be sent, from what was kept of the error."""
    if not settings.EMAIL_HOST:  # mail goes into a file, or nowhere
        words = "Mail cannot be written where EMAIL_URL says."
        return broken("mail server", words, _see_mail_server())
    if reason[:3].isdecimal():
        return broken(
            "mail server",
            f"{settings.EMAIL_HOST} does not take the mail: {reason}",
            "See whether it may send for the address in DEFAULT_FROM_EMAIL.",
        )
    is_shut_out = reason.startswith("SMTPAuthenticationError")
    return shut_out() if is_shut_out else unanswered()


def _see_mail_server() -> str:
    place = operating.where("EMAIL_URL")
    return f"See {place}: host, port, encryption, user and password."


def _in_brackets(detail: str) -> str:
    return f" ({detail})" if detail else ""
