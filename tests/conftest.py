from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.panel import Panel, running_panel


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
    items.sort(key=lambda it: -slow[it.path])
