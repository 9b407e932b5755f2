"""Uploads that never touch a disk: they may hold passwords in clear."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from io import BytesIO
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from purelymanage.accounts.permissions import AuthenticatedHttpRequest, Right, requires
from purelymanage.sheets.reading import MOST_BYTES

TOO_MUCH_PASTED = "This is more than can be pasted at once. Save it as a file instead."
View = Callable[..., HttpResponse]


def read_in_memory(
    right: Right, *, too_much: Callable[[AuthenticatedHttpRequest, str], HttpResponse]
) -> Callable[[View], View]:
    """Let a view for people with `right` read uploads that are never written down.

    `too_much` answers, with a sentence, where more was pasted than is read.
    """

    def decorate(view: View) -> View:
        # The token is in the body, which must not be read before it is said that
        # nothing of it goes to a disk: so it is checked one step later.
        @csrf_exempt
        @requires(right)
        @wraps(view)
        def read(
            request: AuthenticatedHttpRequest, *args: Any, **found: Any
        ) -> HttpResponse:
            request.upload_handlers = [InMemory(request)]
            try:
                return csrf_protect(view)(request, *args, **found)
            except RequestDataTooBig:
                return too_much(request, TOO_MUCH_PASTED)

        return read

    return decorate


class InMemory(FileUploadHandler):
    """Keeps at most what is read anyway, and counts the rest without keeping it."""

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self.kept = bytearray()

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.kept = bytearray()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.kept += raw_data[: MOST_BYTES - len(self.kept)]

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        return InMemoryUploadedFile(
            file=BytesIO(bytes(self.kept)),
            field_name=self.field_name,
            name=self.file_name,
            content_type=self.content_type,
            size=file_size,
            charset=self.charset,
            content_type_extra=self.content_type_extra,
        )
