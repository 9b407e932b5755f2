"""How long a campaign of many takes to launch: python -m tests.benchmarks.launching

Writes ten thousand people with their passwords into a test database of its own, asks
for the page of their campaign, launches them by a click and as a worker does, and asks
for the page again. Needs DATABASE_URL and the secrets of the panel, as the tests do.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial

ASKED = 20


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from django.test.utils import setup_test_environment, teardown_test_environment
    from django.test.utils import setup_databases, teardown_databases  # isort: skip

    setup_test_environment()
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        measure(count)
    finally:
        teardown_databases(databases, verbosity=0)
        teardown_test_environment()


def measure(count: int) -> None:
    from django.db import connection
    from django.test import Client

    from purelymanage.accounts.models import User
    from purelymanage.accounts.permissions import Role
    from purelymanage.migrations.models import Job, Launch, Server
    from purelymanage.migrations.operations import launches
    from tests.cast import HTMX
    from tests.migrations.campaigns.people import (
        add_campaign,
        add_people,
        hand_over,
        numbered,
    )

    owner = User.objects.create_user("olga@example.org", None, role=Role.OWNER)
    server = Server.objects.create(name="Old", host="old.example", created_by=owner)
    campaign = add_campaign(owner, server)
    hand_over(add_people(campaign, *numbered(count)))
    client = Client()
    client.force_login(owner)
    url = f"/migrations/campaigns/{campaign.pk}/"

    def show_pages(when: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        for name, query, headers in (
            ("page", "", {}),
            ("those who are ready", "?doubt=ready", {}),
            ("a page turned", "?page=2", HTMX),
            ("a filter", "?q=user9&state=ready", HTMX),
        ):

            def ask(
                there: str = url + query, headers: dict[str, str] = headers
            ) -> None:
                assert client.get(there, headers=headers).status_code == 200

            ask()
            times = [1000 * seconds(ask) for _ in range(ASKED)]
            words = (
                f"{min(times):6.0f} ms at best, median {statistics.median(times):.0f}"
            )
            say(f"{name}, {when}", words)

    show_pages("before the launch")
    say("the click", f"{seconds(lambda: client.post(f'{url}launch/', CLICK)):6.2f} s")
    steps = []
    for launch in Launch.objects.unfinished():
        while launch.is_under_way:
            steps.append(seconds(partial(launches.take_step, launch.pk)))
            launch.refresh_from_db()
    assert Job.objects.count() == count
    if steps:
        longest = f"{len(steps)} steps, the longest {max(steps):.2f} s"
        say("the worker", f"{sum(steps):6.2f} s in {longest}")
    show_pages("after it")


CLICK = {"begins": "plan"}


def seconds(deed: Callable[[], object]) -> float:
    began = time.perf_counter()
    deed()
    return time.perf_counter() - began


def say(name: str, words: str) -> None:
    sys.stdout.write(f"{name:40} {words}\n")


if __name__ == "__main__":
    main()
