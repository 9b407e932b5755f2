"""What the panel needs of others: PurelyMail, a mail server, DNS."""

from __future__ import annotations

import os
from collections import Counter
from urllib.parse import urlsplit

from tests.audit.mail_server import smtp_server
from tests.benchmarks.faults.table import Row
from tests.faults.processes import wait_until
from tests.faults.scene import OWN_DOMAIN, Scene

# Each for every call until it is mended. Hanging ends within seconds here, as a call
# of the panel gives up after thirty.
MODES = ("status_500", "half_answer", "drop", "hang")
# What is done by the clock and asks PurelyMail.
ASKING = (
    *("sync", "mailbox details", "app passwords", "renames", "hand-overs"),
    *("bulk changes", "deletions", "rewrites", "temporary rules", "snapshots"),
)
DAY_OF_CALLS = 24 * 60


def purelymail(scene: Scene) -> Row:
    """Let it refuse, hang and stammer for an hour, whose clock is moved."""
    words, calls = set(), Counter[str]()
    refused = [scene.new_address() for _ in MODES]
    for mode, local in zip(MODES, refused, strict=True):
        scene.outside("POST", "faults", kind=mode, times=None, seconds=2)
        sent = scene.send_mailbox(local)
        assert sent.status_code in {422, 502, 503}, (mode, sent.status_code)
        for path in ("/", "/mailboxes/", "/domains/", "/routing/"):
            assert scene.look(path).status == 200, (mode, path)
        if mode == "status_500":
            calls = scene.hour(*ASKING)
            words |= {it for it in scene.look("/").findings if "PurelyMail" in it}
            shown = scene.look("/").text
        scene.outside("DELETE", "faults")
    assert "You see the account as it was at" in shown
    assert words, "The dashboard says nothing."
    assert calls.total() < DAY_OF_CALLS / 24, calls
    seconds = wait_until(lambda: "The sync failed" not in _read(scene))
    # A sync finds out of which nobody knew, once five minutes have passed; then to send
    # the form again is right.
    scene.query(
        "UPDATE mailboxes_creation SET requested_at = now() - interval '10 minutes'"
    )
    scene.read_account()
    for local in refused:
        if f"{local}@{OWN_DOMAIN}" not in scene.remote_mailboxes():
            scene.send_mailbox(local)
        scene.prove_mailbox(local)
    scene.prove_audit()
    return Row(
        "PurelyMail down for an hour (errors, half answers, cut, hanging)",
        f"“{' '.join(sorted(words))}” on the dashboard, with the hour as of which one "
        "sees it; every list is drawn; a change says that nothing was done, or that "
        f"nobody knows yet; {calls.total()} calls in the hour",
        seconds,
    )


def smtp(scene: Scene) -> Row:
    """Invite somebody while the server for mail is away for an hour."""
    port = urlsplit(os.environ["EMAIL_URL"]).port
    assert port
    guest = f"{scene.new_address()}@far.example"
    invited = scene.visitor.post(
        "/settings/people/invite/", email=guest, role="auditor", scope="all"
    )
    assert invited.status_code == 200, invited.status_code
    tried = "SELECT tries FROM audit_outgoingmail WHERE recipient = %s"
    scene.hour("mail", "notices")
    tries = scene.query(tried, guest)[0][0]
    findings = [it for it in scene.look("/").findings if "cannot be sent" in it]
    with smtp_server(port=port) as server:
        # The pauses have grown to an hour by now; it passes.
        scene.query("UPDATE audit_outgoingmail SET next_try_at = now()")
        sent = "SELECT state FROM audit_outgoingmail WHERE recipient = %s"
        seconds = wait_until(lambda: scene.query(sent, guest) == [("sent",)])
        scene.hour("mail", "notices")
        mine = [mail for mail in server.taken if guest.encode() in mail]
    assert len(mine) == 1, len(mine)
    assert findings, "The dashboard says nothing."
    scene.prove_audit()
    return Row(
        "Mail server down for an hour",
        f"“{findings[0]}” with what the server says; {tries} tries for the mail; "
        "nothing else is held up",
        seconds,
    )


def dns(scene: Scene) -> Row:
    """Let no resolver answer while somebody looks a healthy domain up."""
    path = f"/domains/{OWN_DOMAIN}/"
    known = "SELECT h.announced_state, h.known FROM domains_health h JOIN "
    known += "domains_domain d ON d.id = h.domain_id WHERE d.name = %s"
    before = scene.query(known, OWN_DOMAIN)
    scene.outside("POST", "dns", latency=60)
    _check(scene, path)
    page = scene.look(path)
    listed = scene.look("/domains/")
    after = scene.query(known, OWN_DOMAIN)
    told = (
        "SELECT count(*) FROM audit_entry WHERE event = 'domain.broke' AND target = %s"
    )
    news = scene.query(told, OWN_DOMAIN)
    scene.outside("POST", "dns", latency=0)
    seconds = _check(scene, path)
    assert "Could not look" in listed.text
    assert "ould not" in page.text
    assert before == after, "It forgot what it knew."
    assert news == [(0,)], news
    assert scene.query(known, OWN_DOMAIN)[0][0] == before[0][0]
    scene.prove_audit()
    return Row(
        "DNS down",
        "“Could not look” for the domain and its records, none is called wrong; what "
        "was known stays, nobody is alarmed",
        seconds,
    )


def _read(scene: Scene) -> str:
    scene.read_account()
    return scene.look("/").text


def _check(scene: Scene, path: str) -> float:
    """Have a domain looked at and wait for what comes of it."""
    looked = "SELECT h.looked_at FROM domains_health h JOIN domains_domain d "
    looked += "ON d.id = h.domain_id WHERE d.name = %s"
    before = scene.query(looked, OWN_DOMAIN)
    # Somebody may ask again after a while only: it has passed.
    scene.query("UPDATE domains_health SET asked_at = asked_at - interval '1 hour'")
    scene.visitor.post(f"{path}check/", at=path)
    return wait_until(lambda: scene.query(looked, OWN_DOMAIN) != before)
