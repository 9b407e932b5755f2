from __future__ import annotations

import subprocess
import sys

import pytest

from purelymanage.call_depth import with_room
from purelymanage.environment import BASE_DIR
from tests import call_depths


def test_no_depth_makes_a_loop_ask_the_kernel_each_time() -> None:
    faults = subprocess.check_output(
        [sys.executable, "-m", "tests.call_depths"], cwd=BASE_DIR, text=True
    )
    assert int(faults) < call_depths.CALLS / 2


def test_it_answers_as_before() -> None:
    divide = with_room(divmod)
    assert divide(7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        divide(7, 0)
