from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.http import QueryDict

from purelymanage.audit.actors import Operator
from purelymanage.errors import Refused
from purelymanage.mailboxes import command_line
from purelymanage.mailboxes.forms.passwords import ResetPasswordForm
from purelymanage.mailboxes.models import Mailbox
from purelymanage.mailboxes.operations.app_passwords import revoke_kept
from purelymanage.mailboxes.operations.passwords import set_password


class Command(BaseCommand):
    help = f"Set a new password for a mailbox. {command_line.EXIT_CODES}"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("address")
        command_line.add_password_arguments(parser)
        parser.add_argument(
            "--allow-reset",
            action="store_true",
            help="let the owner reset it from now on",
        )
        parser.add_argument(
            "--revoke-app-passwords",
            action="store_true",
            help="revoke those that people had made in the panel",
        )

    def handle(self, *, address: str, **options: Any) -> None:
        actor = Operator.present()
        password = command_line.read_password(options)
        mailbox = Mailbox.objects.present().filter(address=address.lower()).first()
        if mailbox is None:
            raise CommandError(
                f"There is no mailbox {address} in the panel. If it is new at "
                "PurelyMail, sync first.",
                returncode=command_line.REFUSED,
            )
        posted = QueryDict(mutable=True)
        posted["password"] = password
        form = ResetPasswordForm(posted, mailbox=mailbox)
        if not form.is_valid():
            raise command_line.refused_by(form)
        try:
            done = set_password(
                mailbox=mailbox,
                password=password,
                allow_reset=options["allow_reset"],
                actor=actor,
            )
        except Refused as exc:
            raise command_line.failed(exc) from exc
        doubts = done.doubts
        if options["revoke_app_passwords"]:
            doubts = [*doubts, *revoke_kept(address=mailbox.address, actor=actor)]
        command_line.tell(
            self.stdout,
            self.stderr,
            mailbox=mailbox,
            sentence=f"{mailbox} has a new password.",
            password=password,
            doubts=doubts,
            facts={"verified": done.is_verified},
            options=options,
            actor=actor,
        )
