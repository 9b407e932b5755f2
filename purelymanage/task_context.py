"""Lets a task know which request has set it off, for logs and the audit log alike."""

from __future__ import annotations

import logging
import sys
from typing import Any

from django_q import signals
from django_q.utils import get_func_repr

from purelymanage.context import request_id, task_name

logger = logging.getLogger(__name__)

KEY = "request_id"  # beside the arguments of a task, in its row


def connect() -> None:
    signals.pre_enqueue.connect(_name_request, dispatch_uid=__name__)
    signals.pre_execute.connect(_begin, dispatch_uid=__name__)
    signals.post_execute_in_worker.connect(_end, dispatch_uid=__name__)


def _name_request(*, task: dict[str, Any], **_: Any) -> None:
    if name := request_id.get():
        task[KEY] = name


def _begin(*, task: dict[str, Any], **_: Any) -> None:
    _report_errors()
    request_id.set(task.get(KEY, ""))
    task_name.set(get_func_repr(task["func"]) or "")
    if request_id.get():
        # django-q's own lines come before that is known.
        logger.info("A task begins that a request has set off.")


def _end(**_: Any) -> None:
    request_id.set("")
    task_name.set("")


class ErrorReporter:
    """What django-q calls where a task raises, so that our log has the cause.

    Its own line comes from another process, which has the text alone.
    """

    def report(self) -> None:
        logger.error("A task has failed.", exc_info=sys.exc_info())


def _report_errors() -> None:
    # Of the worker that is about to carry out a task; django-q looks for packages.
    worker: Any = sys.modules.get("django_q.worker")
    if worker is not None and worker.error_reporter is None:
        worker.error_reporter = ErrorReporter()
