from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import TransactionTestCase
from pytest_django.plugin import DjangoDbBlocker
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from purelymanage import garbage
from tests import databases
from tests.panel import Panel, running_panel


def pytest_configure(config: pytest.Config) -> None:
    databases.name_template()
    TransactionTestCase._fixture_teardown = databases.empty  # type: ignore[attr-defined]


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not is_worker(session.config) and session.config.getoption("numprocesses"):
        databases.drop_template()


def is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    request: pytest.FixtureRequest,
    django_db_modify_db_settings_parallel_suffix: None,
    django_db_keepdb: bool,  # noqa: FBT001  # pytest passes it by name
    django_db_blocker: DjangoDbBlocker,
) -> None:
    if is_worker(request.config) and not django_db_keepdb:
        with django_db_blocker.unblock():
            databases.copy_template()


@pytest.fixture(scope="session")
def panel() -> Iterator[Panel]:
    with tempfile.TemporaryDirectory(prefix="purelymanage-panel-") as folder:
        # Root's PostgreSQL works as another user, who has to pass through.
        Path(folder).chmod(0o711)
        with running_panel(Path(folder)) as panel:
            yield panel


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that the end does not wait for one worker."""
    slow = Counter(it.path for it in items if it.get_closest_marker("slow"))
    items.sort(key=lambda it: ("browser" not in it.path.parts, -slow[it.path]))


def pytest_collection_finish() -> None:
    garbage.spare_what_is_loaded()


IN_THE_PANEL = (
    "tests/browser/",
    "tests/faults/test_in_the_panel.py",
    "tests/migrations/test_canary.py",
    "tests/migrations/campaigns/test_canary_of_form.py",
    "tests/migrations/campaigns/test_rush.py",
)


class SharedPanel(LoadFileScheduling):  # type: ignore[misc]  # it has no types
    """Hands out whole files, and to the same process all that need the panel.

    To start a panel takes longer than most of what is then tried in it.
    """

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(IN_THE_PANEL):
            return "tests/browser"
        return str(super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(
    config: pytest.Config, log: Producer
) -> LoadFileScheduling:
    return SharedPanel(config, log)
