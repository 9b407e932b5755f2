from __future__ import annotations

import tempfile
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
