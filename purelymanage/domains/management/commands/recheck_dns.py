from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError

from purelymanage.domains.dns.expected import Need
from purelymanage.domains.dns.names import BadName, domain_name
from purelymanage.domains.dns.servers import NoResolver
from purelymanage.domains.dns.verdicts import Health, Overall, Severity
from purelymanage.domains.models import Domain
from purelymanage.domains.operations import look_now

UNKNOWN_DOMAIN = 2


class Command(BaseCommand):
    help = (
        "Look at the DNS records of the domains now. Exits with 1 if anything is "
        "broken, with 2 if a domain is not in the account."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("domain", nargs="*", help="all domains, if none is named")
        parser.add_argument(
            "--json", action="store_true", help="print one JSON object, for scripts"
        )

    def handle(self, *, domain: list[str], **options: Any) -> None:
        try:
            found = look_now(domains=_named(domain))
        except NoResolver as exc:
            raise CommandError(str(exc), returncode=UNKNOWN_DOMAIN) from exc
        if options["json"]:
            data = {name: _as_json(health) for name, health in found.items()}
            self.stdout.write(json.dumps(data, ensure_ascii=False, indent=2))
        else:
            for name, health in found.items():
                self._print(name, health)
        if any(health.overall is Overall.BROKEN for health in found.values()):
            sys.exit(1)

    def _print(self, name: str, health: Health) -> None:
        self.stdout.write(f"{name}: {health.overall.value}")
        for verdict in health.verdicts:
            if verdict.record.need is not Need.OPTIONAL or verdict.found:
                label, state = verdict.kind.label, verdict.state.value
                self.stdout.write(f"  {label}: {state}. {verdict.sentence}")
        for finding in health.findings:
            if finding.severity is not Severity.INFO:
                text = f"  {finding.severity.value}: {finding.what}. {finding.remedy}"
                self.stdout.write(text)


def _named(names: list[str]) -> list[Domain]:
    mine = Domain.objects.present().filter(is_shared=False)
    if not names:
        return list(mine)
    try:
        wanted = {domain_name(name): name for name in names}
    except BadName as exc:
        raise CommandError(str(exc), returncode=UNKNOWN_DOMAIN) from exc
    found = list(mine.filter(name__in=wanted))
    missing = sorted(wanted.keys() - {it.name for it in found})
    if missing:
        raise CommandError(
            f"Not in the account: {', '.join(missing)}.", returncode=UNKNOWN_DOMAIN
        )
    return found


def _as_json(health: Health) -> dict[str, Any]:
    return {
        "state": health.overall.value,
        "records": [
            {
                "record": verdict.kind.value,
                "name": verdict.record.name,
                "type": verdict.record.type,
                "state": verdict.state.value,
                "found": list(verdict.found),
                "wanted": verdict.value_to_set,
                "sentence": verdict.sentence,
            }
            for verdict in health.verdicts
        ],
        "findings": [
            {
                "code": finding.code,
                "severity": finding.severity.value,
                "what": finding.what,
                "remedy": finding.remedy,
            }
            for finding in health.findings
        ],
    }
