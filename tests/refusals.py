"""Settings with which nothing starts, and the one sentence that says so."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr

import pytest

from purelymanage.environment import NEVER_MIND


@contextmanager
def stops(sentence: str) -> Iterator[None]:
    """Expect the end of the process, with a sentence that has a pattern in it."""
    said = io.StringIO()
    with redirect_stderr(said), pytest.raises(SystemExit) as caught:
        yield
    assert caught.value.code == NEVER_MIND
    found = re.fullmatch(
        rf"PurelyManage does not start\. .*{sentence}.*\n", said.getvalue()
    )
    assert found, said.getvalue()
