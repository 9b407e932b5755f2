from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Role
from purelymanage.audit.actors import Operator
from purelymanage.errors import Refused
from purelymanage.figures import thin
from purelymanage.migrations.importing.columns import guess_columns
from purelymanage.migrations.importing.preview import Preview, Verdict
from purelymanage.migrations.models import Batch, Server
from purelymanage.migrations.operations import batches
from purelymanage.migrations.operations.batches import Wishes
from purelymanage.sheets.columns import Guess
from purelymanage.sheets.errors import Unreadable
from purelymanage.sheets.reading import MOST_BYTES, Sheet, read

ROWS_WRONG, MISUSED = 1, 2


class Command(BaseCommand):
    help = (
        "Import copies from a table and let their logins be tried. Rows with an error "
        "are told and left out. Ends with 0 when every row was right, 1 when some were "
        "not, 2 when nothing could be read or begun."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file",
            help="the table, or - for standard input. Passwords are read from here only",
        )
        parser.add_argument(
            "--server",
            required=True,
            metavar="NAME",
            help="the server that the old mailboxes lie on, as the panel calls it",
        )
        parser.add_argument(
            "--destination-server",
            metavar="NAME",
            help="copy into mailboxes of this server instead of the account's",
        )
        parser.add_argument("--batch", metavar="NAME", help="what to call the batch")
        parser.add_argument(
            "--domain",
            default="",
            help="the domain of new mailboxes that are written without one",
        )
        parser.add_argument(
            "--create-missing",
            action="store_true",
            help="create the mailboxes that are not in the account",
        )
        parser.add_argument(
            "--person",
            metavar="EMAIL",
            help="in whose name (default: the owner who joined first)",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="tell what is wrong, keep nothing"
        )
        parser.add_argument("--json", action="store_true", help="print one object")

    def handle(self, *, file: str, **options: Any) -> None:
        sheet = _read(file)
        guessed = guess_columns(sheet)
        if guessed.doubts:
            raise CommandError(" ".join(guessed.doubts), returncode=MISUSED)
        person = _person(options["person"])
        other = options["destination_server"]
        destination = _server(other) if other else None
        server = _server(options["server"])
        found = batches.preview_sheet(
            sheet,
            guessed.columns,
            server=server,
            destination_server=destination,
            domain=options["domain"],
            creates_missing=options["create_missing"],
            person=person,
        )
        batch = None
        if found.ready and not options["dry_run"]:
            name = options["batch"] or Path(file).stem.strip("-") or f"From {server}"
            try:
                batch = _import(
                    sheet, guessed, found, name, server, destination, person, options
                )
            except Refused as exc:
                raise CommandError(str(exc), returncode=MISUSED) from exc
        self._tell(found, guessed, batch, options)
        if len(found.ready) < len(found.lines):
            sys.exit(ROWS_WRONG)

    def _tell(
        self,
        found: Preview,
        guessed: Guess,
        batch: Batch | None,
        options: dict[str, Any],
    ) -> None:
        remarks = [*guessed.remarks, *found.remarks]
        faults = [
            {"line": line.number, "column": column, "sentence": sentence}
            for line in found.lines
            for column, sentence in line.faults
        ]
        ready, wrong = len(found.ready), found.counts[Verdict.ERROR]
        if options["json"]:
            told = {
                "batch": batch.pk if batch else None,
                "copies": ready,
                "left_out": wrong,
                "errors": faults,
                "remarks": remarks,
            }
            self.stdout.write(json.dumps(told, ensure_ascii=False))
            return
        for remark in remarks:
            self.stdout.write(remark)
        for fault in faults:
            place = f"Line {fault['line']}"
            if fault["column"]:
                place += f", {fault['column']}"
            self.stderr.write(f"{place}: {fault['sentence']}")
        copies = "1 copy" if ready == 1 else f"{thin(ready)} copies"
        rows = "1 row" if wrong == 1 else f"{thin(wrong)} rows"
        if batch is None:
            words = f"{copies} could be imported"
        else:
            words = f"{copies} imported as batch {batch.pk}, {batch.name}"
        self.stdout.write(f"{words}; {rows} left out." if wrong else f"{words}.")


def _import(
    sheet: Sheet,
    guessed: Guess,
    found: Preview,
    name: str,
    server: Server,
    destination: Server | None,
    person: User,
    options: dict[str, Any],
) -> Batch:
    batch = batches.draft_batch(
        name=name,
        server=server,
        sheet=sheet,
        destination_server=destination,
        actor=person,
    )
    batches.map_columns(
        batch=batch, columns=guessed.columns, domain=options["domain"], actor=person
    )
    return batches.confirm(
        batch=batch,
        wishes=Wishes(name=name, creates_missing=options["create_missing"]),
        shown=found.digest,
        actor=Operator.present(),
    )


def _read(name: str) -> Sheet:
    try:
        if name == "-":
            data = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(MOST_BYTES + 1)
        return read(data, Path(name).name)
    except OSError as exc:
        raise CommandError(
            f"{name} cannot be read: {exc.strerror}.", returncode=MISUSED
        ) from None
    except Unreadable as exc:
        raise CommandError(str(exc), returncode=MISUSED) from None


def _server(name: str) -> Server:
    server = Server.objects.present().filter(name__iexact=name).first()
    if server is None:
        raise CommandError(
            f"There is no server {name}. The panel lists them at /migrations/servers/.",
            returncode=MISUSED,
        )
    return server


def _person(email: str | None) -> User:
    people = User.people.active()
    if email is None:
        person = people.filter(role=Role.OWNER).order_by("joined_at", "pk").first()
    else:
        person = people.filter(email__iexact=email).first()
    if person is None:
        whom = f"nobody called {email}" if email else "no owner"
        raise CommandError(f"There is {whom} in this panel.", returncode=MISUSED)
    return person
