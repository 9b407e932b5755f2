"""Domains with what was seen of them, for tests that look at pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from purelymanage.domains.dns.expected import DKIM_TARGETS, DMARC_TARGET, SPF_RECORD
from purelymanage.domains.dns.health import judge
from purelymanage.domains.dns.observations import Answer, Observation, Outcome
from purelymanage.domains.models import Domain, Health
from purelymanage.domains.operations.looks import STATES

PASSES = ("passes_mx", "passes_spf", "passes_dkim", "passes_dmarc")
CODE = "purelymail_ownership_proof=c0ffee"


def seen(name: str, **records: list[str]) -> Observation:
    """Return a look that found every record right, but for those that are named."""
    found: dict[tuple[str, str], list[str]] = {
        (name, "NS"): ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"],
        (name, "MX"): records.get("mx", ["50 mailserver.purelymail.com"]),
        (name, "TXT"): records.get("txt", [CODE, SPF_RECORD]),
        (f"_dmarc.{name}", "CNAME"): records.get("dmarc", [DMARC_TARGET]),
    }
    for label, target in DKIM_TARGETS.items():
        found[f"{label}.{name}", "CNAME"] = records.get("dkim", [target])
    ttl = 60
    answers = {
        key: Answer(Outcome.FOUND if it else Outcome.NO_DATA, tuple(it), ttl)
        for key, it in found.items()
    }
    for label in (*DKIM_TARGETS, "_dmarc"):
        answers[f"{label}.{name}", "TXT"] = Answer(Outcome.NO_DATA)
        answers[f"{label}.{name}", "A"] = Answer(Outcome.NO_DATA)
    return Observation(name, answers)


def add_domain(
    name: str, observation: Observation | None = None, **fields: Any
) -> Domain:
    """Write a domain with the health that this look amounts to."""
    health_fields = fields.pop("health", {})
    domain = Domain.objects.create(name=name, **dict.fromkeys(PASSES, True) | fields)
    look = observation or seen(name)
    judged = judge(look, ownership_code=CODE)
    now = timezone.now()
    Health.objects.create(
        domain=domain,
        **{
            "observation": look.as_json(),
            "cells": {it.value: at.name.lower() for it, at in judged.cells.items()},
            "state": STATES[judged.overall],
            "finding_count": len(judged.to_set),
            "looked_at": now - timedelta(minutes=3),
            "next_look_at": now + timedelta(minutes=4, seconds=20),
        }
        | health_fields,
    )
    return domain
