from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import replace
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.http import QueryDict

from purelymanage.audit.actors import Operator
from purelymanage.domains.models import Domain
from purelymanage.errors import Refused
from purelymanage.mailboxes import command_line
from purelymanage.mailboxes.forms.creating import CreateMailboxForm
from purelymanage.mailboxes.operations.creating import create_mailbox
from purelymanage.mailboxes.tags import distinct, object_to_tags


class Command(BaseCommand):
    help = f"Create a mailbox at PurelyMail. {command_line.EXIT_CODES}"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("address")
        command_line.add_password_arguments(parser)
        parser.add_argument("--recovery-email", metavar="ADDRESS", default="")
        parser.add_argument("--recovery-phone", metavar="NUMBER", default="")
        parser.add_argument(
            "--tag", action="append", default=[], help="may be given several times"
        )
        parser.add_argument(
            "--no-reset",
            action="store_true",
            help="do not let the owner reset the password",
        )
        parser.add_argument(
            "--no-search-indexing",
            action="store_true",
            help="keep no index of the mail",
        )

    def handle(self, *, address: str, **options: Any) -> None:
        actor = Operator.present()
        password = command_line.read_password(options)
        tags = distinct(tag.strip() for tag in options["tag"])
        if objection := object_to_tags(tags):
            raise CommandError(objection, returncode=command_line.REFUSED)
        form = CreateMailboxForm(
            _as_posted(address, password, options),
            domains=Domain.objects.present(),
            user=actor,
        )
        if not form.is_valid():
            raise command_line.refused_by(form)
        try:
            created = create_mailbox(
                address=form.address,
                password=password,
                wishes=replace(form.wishes, tags=tuple(tags)),
                actor=actor,
            )
        except Refused as exc:
            raise command_line.failed(exc) from exc
        command_line.tell(
            self.stdout,
            self.stderr,
            mailbox=created.mailbox,
            sentence=f"{created.mailbox} was created.",
            password=password,
            doubts=created.doubts,
            facts={"created": True},
            options=options,
            actor=actor,
        )


def _as_posted(address: str, password: str, options: dict[str, Any]) -> QueryDict:
    posted = QueryDict(mutable=True)
    posted["local_part"] = address
    posted["password"] = password
    posted["recovery_email"] = options["recovery_email"]
    posted["recovery_phone"] = options["recovery_phone"]
    for name, is_off in (
        ("reset_allowed", options["no_reset"]),
        ("search_indexing", options["no_search_indexing"]),
    ):
        if not is_off:
            posted[name] = "on"
    return posted
