"""When Python looks for garbage while it draws pages."""

from __future__ import annotations

import gc

# As many objects more than before, and it looks at the newest; by default at 700. A page
# with a long list makes tens of thousands and keeps none.
AT = 10_000
# Of so many looks one is at those that outlived one, and of so many of these one at all;
# by default both at 10. What pages keep, they keep for good.
YOUNG, OLD = 10, 50


def spare_what_is_loaded() -> None:
    """Look through what is there by now once more, and never again: it stays."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(AT, YOUNG, OLD)
