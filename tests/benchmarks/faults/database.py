"""PostgreSQL stopped, frozen and started anew."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress

import requests

from tests.benchmarks.faults.table import Row
from tests.faults.processes import has_ended, wait_until
from tests.faults.scene import Scene

# Longer than pages may wait for it, and than what they tried before they say so.
OUTAGE = 20.0
PATIENCE = 3  # seconds: that of the panel's own for a page


def stopped(scene: Scene, *, outage: float = OUTAGE) -> Row:
    path, address = scene.begin_copy()
    local, token = scene.new_address(), scene.form_token()
    with scene.processes.without_postgres():
        seen, sent = _look_without(scene, local, token)
        time.sleep(outage)
    seconds = scene.until_well()
    assert f"{local}@" not in " ".join(scene.remote_mailboxes()), "It was refused."
    scene.send_mailbox(local)
    scene.prove_mailbox(local)
    scene.prove_copy(path, address)
    scene.prove_audit()
    return Row(
        f"PostgreSQL stopped for {outage:.0f} s, in a copy",
        f"503 at once, within ten seconds at the very beginning: {seen}; {sent}",
        seconds,
    )


def frozen(scene: Scene) -> Row:
    local, token = scene.new_address(), scene.form_token()
    with scene.processes.frozen_postgres():
        # What is asked at this moment gets no answer before it thaws.
        with suppress(requests.Timeout):
            scene.look("/", patience=4)
        seen, sent = _look_without(scene, local, token)
    seconds = scene.until_well()
    scene.send_mailbox(local)
    scene.prove_mailbox(local)
    scene.prove_audit()
    asked_before = "what had been asked just before waits until it thaws"
    seen = f"503 within {PATIENCE} s: {seen}; {asked_before}; {sent}"
    return Row("PostgreSQL frozen", seen, seconds)


def restarted(scene: Scene) -> Row:
    """Each process has connections then that are dead."""
    path, address = scene.begin_copy()
    former = scene.processes.postgres
    os.kill(former, signal.SIGINT)
    wait_until(lambda: has_ended(former))
    seconds = scene.until_well()
    local = scene.new_address()
    scene.send_mailbox(local)
    scene.prove_mailbox(local)
    scene.prove_copy(path, address)
    scene.prove_audit()
    return Row(
        "PostgreSQL restarted, in a copy", "pages late or 503 for a moment", seconds
    )


def _look_without(scene: Scene, local: str, token: str) -> tuple[str, str]:
    health = scene.health()
    assert health["status"] == 503, health
    assert health["problems"] == ["The database does not answer."], health
    assert health["seconds"] < 3, health
    # Whoever comes within two seconds may be given a connection that is dead, and waits
    # for another one as long as the pool does.
    assert scene.look("/mailboxes/", patience=15).status == 503
    page = scene.look("/mailboxes/")
    assert page.status == 503, page.status
    sent = scene.send_mailbox(local, token)
    assert sent.status_code == 503, sent.status_code
    return (
        f"“{page.heading}”, tries again by itself",
        "a form that was sent says that it was not saved; `/healthz` 503",
    )
