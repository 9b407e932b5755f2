from __future__ import annotations

from .base import Engine
from .pipeline.engine import PipelineEngine

NAMES = ("auto", "pipeline", "imapsync")


class EngineUnavailable(ValueError):
    """No engine of this name can be used here; the text is for the person."""


def get_engine(name: str = "auto") -> Engine:
    """Return the engine of this name, or the best one there is."""
    if name in {"auto", PipelineEngine.name}:
        return PipelineEngine()
    if name == "imapsync":
        raise EngineUnavailable("The engine imapsync is not available yet.")
    raise EngineUnavailable(f"There is no engine named {name}.")
