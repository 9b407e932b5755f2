from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from purelymanage.domains.models import Domain
from purelymanage.mailboxes.models import Mailbox


class Command(BaseCommand):
    help = "List the mailboxes as the last sync saw them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--domain", help="only those of this domain")
        parser.add_argument(
            "--json", action="store_true", help="print all that is known of them"
        )

    def handle(self, *, domain: str | None, **options: Any) -> None:
        mailboxes = Mailbox.objects.present().with_deletion().order_by("address")
        if domain:
            if not Domain.objects.present().filter(name=domain.lower()).exists():
                raise CommandError(f"{domain} is not a domain of this account.")
            mailboxes = mailboxes.filter(domain=domain.lower())
        if options["json"]:
            facts = [_facts(mailbox) for mailbox in mailboxes]
            self.stdout.write(json.dumps(facts, indent=2))
            return
        for mailbox in mailboxes:
            self.stdout.write(mailbox.address)


def _facts(mailbox: Any) -> dict[str, Any]:
    """Return what the mirror knows; what was not read yet is null."""
    times = {
        name: moment and moment.isoformat()
        for name, moment in (
            ("first_seen_at", mailbox.first_seen_at),
            ("details_at", mailbox.details_at),
            ("suspended_at", mailbox.suspended_at),
            ("delete_after", mailbox.delete_after),
        )
    }
    return {
        "address": mailbox.address,
        "domain": mailbox.domain,
        "two_factor": mailbox.two_factor,
        "reset_allowed": mailbox.reset_allowed,
        "search_indexing": mailbox.search_indexing,
        "spam_filtering": mailbox.spam_filtering,
        "recovery_methods": mailbox.recovery_methods if mailbox.details_at else None,
        "tags": mailbox.tags,
        "deletion": mailbox.deletion_state,
        **times,
    }
