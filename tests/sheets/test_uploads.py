from __future__ import annotations

from django.conf import settings
from django.core.files.uploadedfile import InMemoryUploadedFile, SimpleUploadedFile
from django.test import RequestFactory

from purelymanage.sheets.reading import MOST_BYTES


def uploaded(size: int) -> object:
    file = SimpleUploadedFile("people.csv", b"x" * size)
    return RequestFactory().post("/", {"file": file}).FILES.get("file")


def test_a_file_of_the_largest_size_stays_in_memory() -> None:
    assert isinstance(uploaded(MOST_BYTES + 1), InMemoryUploadedFile)


def test_a_larger_file_is_not_kept_at_all() -> None:
    assert uploaded(settings.FILE_UPLOAD_MAX_MEMORY_SIZE) is None
