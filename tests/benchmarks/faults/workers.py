"""Processes killed in the middle of their work, as the kernel does without memory."""

from __future__ import annotations

import os
import signal

from tests.benchmarks.faults.table import Row
from tests.faults.processes import children, descendants, has_ended, wait_until
from tests.faults.scene import AGREE, OWN_DOMAIN, Scene

HELD = 8.0  # seconds that PurelyMail takes to answer, so that the kill is in the middle


def worker(scene: Scene) -> Row:
    """Kill the whole cluster of short tasks while it reads the account."""
    scene.outside(
        "POST", "faults", kind="latency", operation="listDomains", seconds=HELD
    )
    scene.visitor.post("/domains/sync/", at="/domains/")
    wait_until(lambda: scene.query(RUNNING) == [(1,)])
    former = scene.processes.worker
    victims = [former, *descendants(former)]
    with scene.processes.nobody_restarts():
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        local = scene.new_address()
        page = scene.send_mailbox(local)
        assert page.status_code == 201, page.status_code
        problem = "Nobody works on syncs and other short tasks."
        wait_until(lambda: problem in scene.health()["problems"])
        health, findings = scene.health(), scene.look("/settings/health/").findings
    seconds = scene.until_well()
    scene.prove_mailbox(local)
    # A sync that nobody works at any more does not hold up the next one for ever.
    scene.read_account(after_crash=True)
    scene.prove_audit()
    assert health["status"] == 503, health
    assert problem in findings, findings
    return Row(
        "Worker of short tasks killed, in a sync",
        f"pages and changes work; after half a minute “{problem}” on the health page, "
        "`/healthz` 503",
        seconds,
    )


def migrations(scene: Scene) -> Row:
    """Kill all workers of copies in the middle of one."""
    path, address = scene.begin_copy()
    scene.visitor.wait_for(path, "Copying")
    former = scene.processes.migrations
    victims = [former, *descendants(former)]
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: all(has_ended(pid) for pid in victims))
    seconds = wait_until(lambda: AGREE in scene.look(path).text, within=300)
    scene.prove_copy(path, address)
    scene.prove_audit()
    attempts = scene.query(
        "SELECT count(*) FROM migrations_attempt a JOIN migrations_run r "
        "ON r.id = a.run_id JOIN migrations_job j ON j.id = r.job_id "
        "WHERE j.destination = %s AND NOT r.dry_run",
        address,
    )
    assert attempts == [(2,)], attempts
    return Row(
        "Worker of copies killed, in a copy",
        "the copy says “Interrupted, resumes by itself”, then goes on",
        seconds,
    )


def web(scene: Scene) -> Row:
    """Kill a process that answers requests, while it creates a mailbox."""
    parent = scene.processes.web
    former = children(parent)
    local, token = scene.new_address(), scene.form_token()
    scene.outside(
        "POST", "faults", kind="latency", operation="createUser", seconds=HELD
    )
    scene.outside("DELETE", "calls")
    with scene.sending_mailbox(local, token) as came:
        wait_until(lambda: "createUser" in scene.outside("GET", "calls")["operations"])
        for pid in former:
            os.kill(pid, signal.SIGKILL)
    assert came == ["ConnectionError"], came
    seconds = scene.until_well()
    # Whoever sends it again is not given a second one, and the next sync finds it.
    again = scene.send_mailbox(local)
    assert again.status_code == 422, again.status_code
    wait_until(lambda: scene.remote_mailboxes().count(f"{local}@{OWN_DOMAIN}") == 1)
    scene.read_account()
    scene.prove_mailbox(local)
    scene.prove_audit()
    return Row(
        "Web processes killed, creating a mailbox",
        "the connection ends; sent again: “PurelyMail has been asked to create it "
        "already”; after a sync the mailbox is there",
        seconds,
    )


RUNNING = "SELECT count(*) FROM domains_syncrun WHERE state = 'running'"
