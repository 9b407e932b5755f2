"""A page or an action of the panel, as the table of rights describes it."""

from __future__ import annotations

from dataclasses import dataclass

from purelymanage.accounts.permissions import Right


@dataclass(frozen=True)
class Route:
    """`right` is None where signing in is enough, `is_open` where not even that."""

    path: str
    right: Right | None = None
    is_open: bool = False
    # About something of example.org, which limited people must not find.
    is_scoped: bool = False
    # About the account as a whole: limited people may see but not change it.
    is_shared: bool = False
    # About something of the person's own: others do not find it. Olga has one of each.
    is_own: bool = False
