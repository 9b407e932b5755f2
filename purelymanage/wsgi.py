from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "purelymanage.settings")

application = get_wsgi_application()

# All views, or the first visitor would wait for them.
get_resolver().url_patterns  # noqa: B018
