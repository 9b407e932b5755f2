"""The encoding of what is sent to the panel."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CHARSET = re.compile(r";\s*charset\s*=[^;]*", re.IGNORECASE)


def in_utf_8(application: WSGIApplication) -> WSGIApplication:
    """Read whatever is sent as UTF-8, even where it says that it is something else.

    No page asks a browser for anything else, and Python has encodings that bring half
    characters, or can read no text at all: Django breaks before any view is asked.
    """

    def answer(
        environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        kind = environ.get("CONTENT_TYPE", "")
        environ["CONTENT_TYPE"] = CHARSET.sub("", kind)
        return application(environ, start_response)

    return answer
