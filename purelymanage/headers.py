"""Headers that Django does not set by itself, and a name for its last cookie."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage
from django.http import HttpRequest
from django.http.response import HttpResponseBase

# What a page may ask of the browser: passkeys, and to put something where it is pasted
# from. Whatever is not named here does browsers no harm.
FEATURES = {
    "self": (
        "clipboard-write",
        "publickey-credentials-create",
        "publickey-credentials-get",
    ),
    "": (
        *("accelerometer", "autoplay", "browsing-topics", "camera"),
        *("clipboard-read", "display-capture", "encrypted-media", "geolocation"),
        *("gyroscope", "hid", "idle-detection", "local-fonts", "magnetometer"),
        *("microphone", "midi", "payment", "picture-in-picture", "serial", "usb"),
        *("screen-wake-lock", "storage-access", "sync-xhr", "xr-spatial-tracking"),
    ),
}
PERMISSIONS = ", ".join(
    f"{feature}=({who})" for who, features in FEATURES.items() for feature in features
)


class HeadersMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response["Permissions-Policy"] = PERMISSIONS
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        # Pages show what not everybody may see; hashed files say otherwise themselves.
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response


class MessageCookie(CookieStorage):
    cookie_name = f"{settings.COOKIES}messages"


class MessageStorage(FallbackStorage):
    """Django's, with a cookie that has the prefix of the others."""

    storage_classes = (MessageCookie, SessionStorage)


def nonce(request: HttpRequest) -> dict[str, object]:
    """Give templates what their scripts must bear; taken up by django-htmx as well."""
    return {"csp_nonce": getattr(request, "csp_nonce", None)}
