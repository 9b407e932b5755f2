from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.panel import Panel, running_panel


@pytest.fixture(scope="session")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Panel]:
    with running_panel(tmp_path_factory.mktemp("panel")) as panel:
        yield panel
