"""From the bytes of an uploaded file to its text."""

from __future__ import annotations

import codecs
import re

from purelymanage.sheets.errors import Unreadable

LOST = "\ufffd"  # stands for what could not be decoded
SAVE_AS_CSV = "Save it as CSV (UTF-8) and upload that."
LOOKED_AT = 64 * 1024

# The longer marks first: that of UTF-32 begins with that of UTF-16.
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32-be", "UTF-32"),
    (codecs.BOM_UTF8, "utf-8", "UTF-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
)
ZIP = b"PK\x03\x04"
IN_ZIP = (
    (b"xl/", "an Excel workbook"),
    (b"opendocument.spreadsheet", "a LibreOffice spreadsheet"),
    (b"Index/Document.iwa", "a Numbers spreadsheet"),
    (b"word/", "a Word document"),
)
OTHERS = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook of the old kind"),
    (b"%PDF", "a PDF document"),
    (b"{\\rtf", "a text document with formatting"),
    (b"\x1f\x8b", "a compressed archive"),
    (b"7z\xbc\xaf\x27\x1c", "a compressed archive"),
    (b"Rar!\x1a", "a compressed archive"),
    (b"BZh", "a compressed archive"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"SQLite format 3\x00", "a database"),
)
MARKUP = re.compile(r"\s*<(!doctype\s+html|html|head|body|table|\?xml)\b", re.I)
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def refuse_other_formats(data: bytes) -> None:
    """Raise `Unreadable` for files that are known by how they begin."""
    kind = ""
    if data.startswith(ZIP):
        # The names of its members stand in clear at both ends of an archive.
        seen = data[:LOOKED_AT] + data[-LOOKED_AT:]
        kinds = (name for mark, name in IN_ZIP if mark in seen)
        kind = next(kinds, "a compressed archive")
    else:
        kind = next((name for mark, name in OTHERS if data.startswith(mark)), "")
    if kind:
        raise Unreadable(f"This is {kind}. {SAVE_AS_CSV}")


def decode(data: bytes) -> tuple[str, str]:
    """Return the text and the name of its encoding; what is damaged becomes `LOST`."""
    refuse_other_formats(data)
    codec, name, mark = recognise(data)
    text = data[len(mark) :].decode(codec, errors="replace").lstrip("\ufeff")
    _refuse_what_is_no_table(text)
    return text, name


def recognise(data: bytes) -> tuple[str, str, bytes]:
    """Return codec, name and byte order mark, always the same for the same bytes."""
    for mark, codec, name in MARKS:
        if data.startswith(mark):
            return codec, name, mark
    if codec := _utf_16_without_mark(data):
        return codec, "UTF-16", b""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode(errors="surrogateescape")
        damaged = sum("\udc80" <= it <= "\udcff" for it in text)
        whole = sum(it > "\x7f" for it in text) - damaged
        # By chance, a text in an older encoding has hardly any letter of UTF-8.
        if whole <= damaged:
            return "cp1252", "Windows-1252", b""
    return "utf-8", "UTF-8", b""


def _utf_16_without_mark(data: bytes) -> str:
    """Tell by where the zeros are: half of each letter or digit is one."""
    seen = data[:LOOKED_AT]
    units = len(seen) // 2
    for codec, zeros, others in (
        ("utf-16-le", seen[1::2].count(0), seen[0::2].count(0)),
        ("utf-16-be", seen[0::2].count(0), seen[1::2].count(0)),
    ):
        if zeros > units * 0.2 and others <= units * 0.01:
            # Stray zeros may lie so by chance; ends of lines do not.
            text = seen.decode(codec, errors="replace")
            return codec if "\n" in text or "\r" in text else ""
    return ""


def _refuse_what_is_no_table(text: str) -> None:
    seen = text[:LOOKED_AT]
    if MARKUP.match(seen):
        raise Unreadable(
            "This is a web page, perhaps saved from a list on screen. Export the list "
            "as CSV and upload that."
        )
    if len(CONTROLS.findall(seen)) > max(4, len(seen) // 20):
        raise Unreadable(f"This is not a text file. {SAVE_AS_CSV}")
