from __future__ import annotations

import os
import sys

from django.core.wsgi import get_wsgi_application
from django.db import OperationalError

from purelymanage.call_depth import with_room
from purelymanage.in_utf_8 import in_utf_8

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "purelymanage.settings")

application = in_utf_8(with_room(get_wsgi_application()))

# The apps must be there.
from purelymanage import garbage, preloading  # noqa: E402
from purelymanage.audit import key_proofs  # noqa: E402

preloading.load_views_and_templates()

try:
    key_proofs.prove_or_exit(patience=key_proofs.PATIENCE)
except OperationalError:
    # Whoever starts us may try again: it is expected back.
    sys.exit(
        "PurelyManage does not start. The database does not answer; DATABASE_URL says "
        "where it should be."
    )

# No request has to look through all of that for garbage.
garbage.spare_what_is_loaded()
