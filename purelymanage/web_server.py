"""How gunicorn serves the panel, wherever it runs: `--config python:` this module."""

from __future__ import annotations

import os

wsgi_app = "purelymanage.wsgi"
# One of them is for the public form.
workers = 3
# Owners of mailboxes wait for seconds until their old server has answered: each thread
# is cheap, but the connections to the database are shared.
threads = 400
worker_class = "purelymanage.divided_worker.DividedWorker"
# The panel is loaded once, before its processes part.
preload_app = True
control_socket_disable = True
graceful_timeout = 30
# Longer than proxies keep connections that nobody uses, or one may send a form into one
# that is being closed; and pages that ask every two seconds need no new ones.
keepalive = 130
accesslog = "-"
logger_class = "purelymanage.access_log.MaskingLogger"

# Set before the settings are read; processes that carry out tasks must not have it.
raw_env = [f"DATABASE_POOL={os.environ.get('DATABASE_POOL', '20')}"]
