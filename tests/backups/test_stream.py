from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest

from deploy.backups import stream
from deploy.backups.stream import CHUNK, TAG, Unreadable, Writer

PASSPHRASE = "correct horse battery"


@pytest.fixture(autouse=True)
def _cheap_keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(stream, "COST", 2)
    yield


def sealed(*parts: bytes) -> bytes:
    file = io.BytesIO()
    writer = Writer(file, PASSPHRASE)
    for part in parts:
        writer.write(part)
    writer.finish()
    return file.getvalue()


def opened(data: bytes, passphrase: str = PASSPHRASE) -> bytes:
    return b"".join(stream.read(io.BytesIO(data), passphrase))


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK])
def test_what_is_sealed_opens_again(size: int) -> None:
    plain = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    assert opened(sealed(plain)) == plain
    assert opened(sealed(plain[:5], plain[5:])) == plain


def test_the_same_text_never_looks_the_same() -> None:
    assert sealed(b"x") != sealed(b"x")


def test_a_wrong_passphrase_opens_nothing() -> None:
    for plain in (b"x", b"x" * (CHUNK + 1)):
        with pytest.raises(Unreadable, match="passphrase"):
            opened(sealed(plain), "another passphrase")


def test_a_file_cut_off_anywhere_is_noticed() -> None:
    data = sealed(b"x" * (CHUNK + 10))
    start = data.index(b"\n", len(stream.MAGIC)) + 1
    whole_chunk = start + 4 + CHUNK + TAG
    cuts = (0, 5, start - 1, start, start + 2, start + 9, whole_chunk, len(data) - 1)
    for cut in cuts:
        with pytest.raises(Unreadable):
            opened(data[:cut])


def test_what_was_changed_or_added_is_noticed() -> None:
    data = sealed(b"x" * 40)
    # The letter case of a name in the header means nothing, but it is sealed too.
    for place in range(len(data)):
        broken = bytearray(data)
        broken[place] ^= 1
        with pytest.raises(Unreadable):
            opened(bytes(broken))
    with pytest.raises(Unreadable):
        opened(data + b"\0" * 40)


def test_chunks_can_neither_be_moved_nor_left_out() -> None:
    data = sealed(b"a" * CHUNK + b"b" * CHUNK + b"c")
    start = data.index(b"\n", len(stream.MAGIC)) + 1
    size = 4 + CHUNK + TAG
    header, first, second, rest = (
        data[:start],
        data[start : start + size],
        data[start + size : start + 2 * size],
        data[start + 2 * size :],
    )
    for forged in (second + first + rest, first + rest, second + rest, first + second):
        with pytest.raises(Unreadable):
            opened(header + forged)


def test_a_forged_header_takes_no_memory() -> None:
    said = {"salt": "AAAAAAAAAAAAAAAAAAAAAA==", "n": 2**40, "r": 8, "p": 1}
    with pytest.raises(Unreadable, match="no backup"):
        opened(stream.MAGIC + json.dumps(said).encode() + b"\n" + b"\0" * 40)
