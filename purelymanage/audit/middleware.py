from __future__ import annotations

import re
import uuid
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from purelymanage.audit.log import request_id

WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestIdMiddleware:
    """Give each request a name that its answer and its audit entries carry.

    A proxy in front may have named it already, so that its log can be matched; nobody
    else may, or two requests could claim to be the same.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        asked = request.headers.get("X-Request-ID", "")
        is_from_proxy = settings.ALLAUTH_TRUSTED_PROXY_COUNT > 0
        name = asked if is_from_proxy and WELL_FORMED.fullmatch(asked) else ""
        name = name or uuid.uuid4().hex
        token = request_id.set(name)
        try:
            response = self.get_response(request)
        finally:
            request_id.reset(token)
        response["X-Request-ID"] = name
        return response
