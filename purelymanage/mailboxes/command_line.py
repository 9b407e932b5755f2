"""What the commands that set a password have in common.

A password never stands in the arguments, which everybody on the machine may read, and
one that was made is printed on request only: by default its one-time link is.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, OutputWrapper
from django.forms import BaseForm
from django.utils import timezone
from django.utils.formats import date_format

from purelymanage.audit.actors import Actor
from purelymanage.errors import Refused
from purelymanage.mailboxes.models import Mailbox
from purelymanage.mailboxes.operations.hand_overs import make_hand_over
from purelymanage.mailboxes.passwords import make_password

REFUSED, MISUSED, UNAVAILABLE = 1, 2, 3
LONGEST = 1_000  # bytes of a file; a password has at most 200 characters
EXIT_CODES = "Ends with 0 when done, 1 when refused, 3 when PurelyMail did not answer."


def add_password_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--password-file",
        metavar="FILE",
        help="read the password from FILE, or from standard input with -; otherwise "
        "one is made",
    )
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument(
        "--link",
        action="store_true",
        help="print a link that shows the password once (done by itself for one that "
        "was made)",
    )
    shown.add_argument(
        "--show-password", action="store_true", help="print the password instead"
    )
    parser.add_argument("--json", action="store_true", help="print one object as JSON")


def read_password(options: dict[str, Any]) -> str:
    """Return the password that was given, or one that is made."""
    name = options["password_file"]
    if name is None:
        return make_password()
    try:
        if name == "-":
            raw = sys.stdin.buffer.read(LONGEST + 1)
        else:
            with Path(name).open("rb") as file:
                raw = file.read(LONGEST + 1)
        text = raw.decode("utf-8")
    except OSError as exc:
        raise CommandError(
            f"{name} cannot be read: {exc.strerror}.", returncode=MISUSED
        ) from None
    except UnicodeDecodeError:
        raise CommandError(f"{name} is no UTF-8 text.", returncode=MISUSED) from None
    password = text.removesuffix("\n").removesuffix("\r")
    if not password or "\n" in password or len(raw) > LONGEST:
        raise CommandError(
            "The password has to be the only line that is read.", returncode=MISUSED
        )
    return password


def refused_by(form: BaseForm) -> CommandError:
    """Say what a form has against its input, in the words of the page."""
    sentences = [
        str(error)
        for name, errors in form.errors.items()
        for error in errors
        if name != "domain" or "local_part" not in form.errors
    ]
    return CommandError(" ".join(sentences), returncode=REFUSED)


def failed(exc: Refused) -> CommandError:
    is_outage = getattr(exc, "is_outage", False)
    return CommandError(str(exc), returncode=UNAVAILABLE if is_outage else REFUSED)


def tell(
    out: OutputWrapper,
    err: OutputWrapper,
    *,
    mailbox: Mailbox,
    sentence: str,
    password: str,
    doubts: list[str],
    facts: dict[str, Any],
    options: dict[str, Any],
    actor: Actor,
) -> None:
    """Print what came of it, with a link to the password or the password itself."""
    told: dict[str, Any] = {"address": mailbox.address, **facts, "doubts": doubts}
    lines = [sentence]
    if options["show_password"]:
        told["password"] = password
        lines.append(f"Password: {password}")
    elif options["link"] or options["password_file"] is None:
        link = make_hand_over(mailbox=mailbox, password=password, actor=actor)
        expires_at = timezone.localtime(link.hand_over.expires_at)
        told |= {"link": link.url, "link_expires_at": expires_at.isoformat()}
        until = date_format(expires_at, "j F Y, H:i e")
        lines.append(f"The password is shown once, until {until}, by {link.url}")
    if options["json"]:
        out.write(json.dumps(told))
        return
    for doubt in doubts:
        err.write(doubt)
    for line in lines:
        out.write(line)
