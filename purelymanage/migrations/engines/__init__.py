"""What copies mailboxes: our own pipeline, and imapsync where it is installed."""

from __future__ import annotations

from collections.abc import Callable

from .base import Engine
from .imapsync.engine import ImapsyncEngine
from .imapsync.program import find_program, version_of
from .pipeline.engine import PipelineEngine

NAMES = ("auto", "pipeline", "imapsync")


class EngineUnavailable(ValueError):
    """No engine of this name can be used here; the text is for the person."""


def _by_name() -> str:
    return "imapsync"


# Says how the program is called here, by name or path. The app sets it, as nothing
# below knows of Django's settings.
imapsync_name: Callable[[], str] = _by_name


def get_engine(name: str = "auto") -> Engine:
    """Return the engine of this name, or the best one there is."""
    if name not in NAMES:
        raise EngineUnavailable(f"There is no engine named {name}.")
    if name == PipelineEngine.name:
        return PipelineEngine()
    program = find_program(imapsync_name())
    if program is not None:
        return ImapsyncEngine(program)
    if name == ImapsyncEngine.name:
        raise EngineUnavailable(
            "imapsync is not installed here. The README says how to get it, and the "
            "engine pipeline needs nothing."
        )
    return PipelineEngine()


def imapsync_version() -> str | None:
    """Return the version of imapsync, "" if it does not start, None if there is none.

    It is asked once for each state of the file, so pages may call this.
    """
    program = find_program(imapsync_name())
    return version_of(program) if program is not None else None
