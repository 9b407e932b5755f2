from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from gunicorn.config import Config

from purelymanage import error_notes
from purelymanage.access_log import MaskingLogger
from purelymanage.context import request_id, task_name
from purelymanage.environment import BASE_DIR, NEVER_MIND
from purelymanage.logs import LOST_LINES, JsonFormatter, LineFormatter, StderrHandler


def written(formatter: logging.Formatter, message: str, **extra: Any) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logger = logging.getLogger("tests.logs")
    logger.addHandler(handler)
    tokens = request_id.set("a-request"), task_name.set("a.task")
    try:
        logger.warning(message, **extra)
    finally:
        logger.removeHandler(handler)
        request_id.reset(tokens[0])
        task_name.reset(tokens[1])
    return stream.getvalue()


def test_a_line_ends_with_the_request() -> None:
    line = written(LineFormatter(), "Something odd")
    assert line.endswith("WARNING tests.logs Something odd [a-request]\n")


def test_an_object_is_one_line_of_plain_characters() -> None:
    try:
        raise ValueError("über\nzwei Zeilen\u2028")
    except ValueError:
        text = written(JsonFormatter(), "Zeile\neins", exc_info=True)
    assert text.count("\n") == 1
    assert text.isascii()
    entry = json.loads(text)
    assert entry.pop("time").endswith("+00:00")
    assert "zwei Zeilen" in entry.pop("traceback")
    assert entry == {
        "level": "WARNING",
        "logger": "tests.logs",
        "message": "Zeile\neins",
        "process": os.getpid(),
        "request_id": "a-request",
        "task": "a.task",
        "error": "builtins.ValueError",
    }


def test_gunicorn_writes_in_the_same_format(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOG_FORMAT", "json")
    config = Config()
    config.set("accesslog", "-")
    logger = MaskingLogger(config)
    answer = SimpleNamespace(
        status="200 OK", headers=[("X-Request-ID", "a-request")], sent=17
    )
    environ = {
        "REQUEST_METHOD": "GET",
        "RAW_URI": "/gather/a-secret/",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.1",
        "HTTP_USER_AGENT": "a browser",
    }
    logger.access(answer, SimpleNamespace(headers=[]), environ, timedelta(seconds=1.5))
    logger.error("Worker exiting")
    for log in (logger.access_log, logger.error_log):
        log.handlers.clear()
    said = capsys.readouterr()
    entry = json.loads(said.out)
    assert entry["message"] == "GET /gather/…/ HTTP/1.1"
    assert (entry["status"], entry["bytes"], entry["seconds"]) == (200, 17, 1.5)
    assert (entry["request_id"], entry["agent"]) == ("a-request", "a browser")
    assert json.loads(said.err)["message"] == "Worker exiting"


@pytest.mark.slow
def test_a_wrong_format_is_told_at_once() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=BASE_DIR,
        env=os.environ | {"LOG_FORMAT": "xml", "ENV_FILE": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == NEVER_MIND
    assert done.stderr == (
        "PurelyManage does not start. LOG_FORMAT must be one of line, json.\n"
    )


def test_a_full_disk_is_noted_where_people_look() -> None:
    record = logging.LogRecord("tests", logging.INFO, "", 1, "A line", None, None)
    full = Path("/dev/full").open("w")  # noqa: SIM115  # closing it fails as well
    with mock.patch.object(error_notes, "keep") as keep:
        StderrHandler(full).emit(record)
    with suppress(OSError):
        full.close()
    note = keep.call_args.args[0]
    assert (note.kind, note.place) == (LOST_LINES, "No space left on device")
