from __future__ import annotations

import pytest

from purelymanage.migrations.engines import EngineUnavailable, get_engine


@pytest.mark.parametrize("name", ["auto", "pipeline"])
def test_our_own_engine_is_always_there(name: str) -> None:
    assert get_engine(name).name == "pipeline"


def test_an_engine_that_is_not_there_is_named() -> None:
    with pytest.raises(EngineUnavailable, match="imapsync is not available yet"):
        get_engine("imapsync")
    with pytest.raises(EngineUnavailable, match="no engine named rsync"):
        get_engine("rsync")
