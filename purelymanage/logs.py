"""The two ways in which log lines are written: for people, and one JSON object a line."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

from purelymanage import error_notes
from purelymanage.context import request_id, task_name
from purelymanage.error_notes import Note

FORMATS = ("line", "json")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
# How the health page calls it.
LOST_LINES = "log lines that could not be written"


class LineFormatter(logging.Formatter):
    """For people: the request comes last, where there is one."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        line = super().formatMessage(record)
        name = request_id.get()
        return f"{line} [{name}]" if name else line


class StderrHandler(logging.StreamHandler[TextIO]):
    """Says where people look that a line could not be written, most likely for room.

    Python itself would try to write that down as well, into the same log.
    """

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
            return
        place = os.strerror(error.errno or 0)
        at = datetime.fromtimestamp(record.created, UTC)
        name = request_id.get()
        error_notes.keep(Note(LOST_LINES, place, 1, at, name, task_name.get()))


class JsonFormatter(logging.Formatter):
    """For programs. Nothing but ASCII, as nobody knows what encoding stderr has."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(self.fields(record), default=str)

    def fields(self, record: logging.LogRecord) -> dict[str, Any]:
        at = datetime.fromtimestamp(record.created, UTC)
        fields: dict[str, Any] = {
            "time": at.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
        }
        if name := request_id.get():
            fields["request_id"] = name
        if name := task_name.get():
            fields["task"] = name
        if status := getattr(record, "status_code", None):
            fields["status"] = status
        if record.exc_info and record.exc_info[0]:
            kind = record.exc_info[0]
            fields["error"] = f"{kind.__module__}.{kind.__qualname__}"
            fields["traceback"] = self.formatException(record.exc_info)
        if record.stack_info:
            fields["stack"] = record.stack_info
        return fields


class AccessFormatter(JsonFormatter):
    """For the access log of gunicorn, whose lines are made of what it calls atoms."""

    def fields(self, record: logging.LogRecord) -> dict[str, Any]:
        fields = super().fields(record)
        # It is written after the answer, when nothing is being worked on any more.
        atoms: Any = record.args
        if isinstance(atoms, Mapping):
            fields |= {
                "message": atoms["r"],
                "status": int(atoms["s"]),
                "bytes": atoms["B"],
                "seconds": float(atoms["L"]),
                "address": atoms["h"],
                "agent": atoms["a"],
                "request_id": atoms["{x-request-id}o"],
            }
        return fields
