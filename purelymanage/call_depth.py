"""Room for whatever a request calls, in one piece of memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

# Python (up to 3.12, and the first 3.13 and 3.14) keeps what running functions know in
# pieces of 16 kB, and returns a piece as soon as the last function in it ends. A loop
# that calls something just across such a border asks the kernel for memory each time:
# https://github.com/python/cpython/issues/142183. By nothing but how deep they were
# called from, pages took up to three times as long.
#
# A function that wants more gets a larger piece: this one 512 kB, of which it leaves
# half to those that it calls. The kernel gives none before it is used.
WANTED = 33_000


def with_room(call: Callable[P, T]) -> Callable[P, T]:
    """Let `call` and all that it calls stay within one piece."""

    def calling(*args: P.args, **kwargs: P.kwargs) -> T:
        return call(*args, **kwargs)

    calling.__code__ = calling.__code__.replace(co_stacksize=WANTED)
    return calling
