"""What is being worked on: names that log lines and audit entries carry.

Set where work begins, so that whatever is done need not know about requests and tasks.
"""

from __future__ import annotations

from contextvars import ContextVar

remote_address: ContextVar[str | None] = ContextVar("remote_address", default=None)
# Of the request, also in the tasks that it has set off.
request_id: ContextVar[str] = ContextVar("request_id", default="")
task_name: ContextVar[str] = ContextVar("task_name", default="")
