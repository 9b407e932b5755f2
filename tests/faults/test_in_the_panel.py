"""What a running panel stands on breaks for real; `tests.benchmarks.faults` has more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.benchmarks.faults import database, workers
from tests.faults.scene import Scene
from tests.panel import Panel

pytestmark = pytest.mark.slow


@pytest.fixture
def scene(panel: Panel) -> Iterator[Scene]:
    with Scene(panel) as scene:
        yield scene
        scene.until_well()


def test_the_database_is_stopped(scene: Scene) -> None:
    database.stopped(scene, outage=0)


def test_the_database_is_frozen(scene: Scene) -> None:
    database.frozen(scene)


def test_the_worker_is_killed(scene: Scene) -> None:
    workers.worker(scene)


def test_web_processes_are_killed(scene: Scene) -> None:
    workers.web(scene)
