from __future__ import annotations

import pytest

from purelymanage.sheets.cells import as_meant, harmless, invisible, is_formula

FORMULAS = ["=1+1", "+49170", "-1", "@SUM(A1)", "\tx", "\rx", "\nx"]


@pytest.mark.parametrize("cell", FORMULAS)
def test_a_formula_is_recognised_and_made_harmless(cell: str) -> None:
    assert is_formula(cell)
    assert not is_formula(harmless(cell))
    assert as_meant(harmless(cell)) == cell


@pytest.mark.parametrize("cell", ["", "x", "1", "'x", "a=b", " =1"])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert not is_formula(cell)
    assert harmless(cell) == cell
    assert as_meant(cell) == cell


def test_what_nobody_sees_has_a_name() -> None:
    assert invisible("anna\u200b@example.org") == "zero width space"
    assert invisible("anna\xa0b") == "no-break space"
    assert invisible("a\x07") == "U+0007"
    assert invisible("Änne b@example.org") == ""
