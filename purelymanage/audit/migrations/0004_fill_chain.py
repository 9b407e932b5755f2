from __future__ import annotations

import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BATCH = 1_000


def seal(entry: Any) -> str:
    content = [
        entry.sequence,
        (entry.recorded_at - EPOCH) // timedelta(microseconds=1),
        entry.event,
        entry.actor_id,
        entry.actor_name,
        entry.actor_role,
        entry.target,
        entry.domain,
        entry.details,
        entry.diff,
        entry.address,
        entry.request_id,
    ]
    encoded = json.dumps(content, sort_keys=True, separators=(",", ":"))
    text = f"entry {entry.previous_hmac} {encoded}"
    return hmac.digest(settings.AUDIT_KEY.encode(), text.encode(), "sha256").hex()


def fill(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Chain what was recorded before there was a chain, in the order it was written."""
    entries = apps.get_model("audit", "Entry").objects
    last = entries.exclude(sequence=None).order_by("-sequence").first()
    sequence, previous = (last.sequence, last.hmac) if last else (0, "")
    fields = ["sequence", "previous_hmac", "hmac"]
    while batch := list(entries.filter(sequence=None).order_by("pk")[:BATCH]):
        for entry in batch:
            sequence += 1
            entry.sequence = sequence
            entry.previous_hmac = previous
            entry.hmac = previous = seal(entry)
        entries.bulk_update(batch, fields)


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_chain")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
