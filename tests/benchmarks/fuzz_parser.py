"""Feed the parser what only a hostile server would send, for as long as you like.

    pip install atheris
    python -m tests.benchmarks.fuzz_parser -max_total_time=3600 corpus/

Atheris is not among the requirements of the tests, as it comes for few platforms. It
follows which branches each input takes and goes on from the most telling ones. A crash,
an input that takes seconds and one that takes a gigabyte end it; the input is kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar, cast

# Not installed with the requirements of the tests, so nobody knows its types.
atheris: Any = importlib.import_module("atheris")

with atheris.instrument_imports(include=["purelymanage"]):
    from purelymanage.imap import names, responses
    from purelymanage.imap.errors import ImapError
    from purelymanage.imap.folders import FolderList, take_listing
    from purelymanage.imap.messages import (
        Message,
        Selected,
        messages_taker,
        summaries_taker,
    )
    from purelymanage.imap.responses import Data, Response
    from purelymanage.imap.wire import READ_AHEAD, Wire
    from purelymanage.migrations.engines.pipeline.listing import Listing

T = TypeVar("T")

# Each kind of answer once, so that the first mutations are telling ones.
SEEDS = (
    b"* OK [CAPABILITY IMAP4rev1 LITERAL+] hello\r\n",
    b'* LIST (\\HasNoChildren \\Sent) "/" "Entw&APw-rfe"\r\n',
    b'* LIST () "." {5}\r\nINBOX\r\n',
    b'* NAMESPACE (("INBOX." ".")) NIL (("#shared/" "/"))\r\n',
    b"* OK [UIDVALIDITY 1600000000] valid\r\n* 3 EXISTS\r\n",
    b"* OK [PERMANENTFLAGS (\\Seen \\* work)] limited\r\n",
    b"* 1 FETCH (UID 7 RFC822.SIZE 12 INTERNALDATE "
    b'"17-Jul-1996 02:44:25 -0700" BODY[HEADER.FIELDS (MESSAGE-ID RECEIVED)] {22}\r\n'
    b"Message-ID: <a@b.c>\r\n\r\n)\r\n",
    b"* 1 FETCH (UID 7 FLAGS (\\Seen work) BODY[] ~{3}\r\nabc)\r\n",
    b"P7 NO [OVERQUOTA] full\r\nP8 OK [APPENDUID 1 2] done\r\n+ go on\r\n",
)


def main() -> None:
    loop = asyncio.new_event_loop()

    def examine(data: bytes) -> None:
        reader = asyncio.StreamReader(limit=READ_AHEAD, loop=loop)
        reader.feed_data(data)
        reader.feed_eof()
        wire = Wire("server", reader, cast("asyncio.StreamWriter", None))
        taker = Taker()
        with contextlib.suppress(ImapError, EOFError):
            while True:
                taker.take(responses.parse(at_once(wire.read_response())))

    atheris.Setup(with_seeds(sys.argv), examine)
    atheris.Fuzz()


class Taker:
    """Does with a response what the engine would do with it."""

    def __init__(self) -> None:
        listing = Listing()
        self._selected = Selected()
        self._folders = take_listing(FolderList(), {}, set())
        self._summaries = summaries_taker(listing.add)
        self._again = summaries_taker(listing.identify)
        self._messages = messages_taker(self._message, with_body=True)

    def take(self, response: Response) -> None:
        if not isinstance(response, Data):
            return
        for take in (
            self._selected.take,
            self._folders,
            self._summaries,
            self._again,
            self._messages,
        ):
            # One may refuse what another one takes.
            with contextlib.suppress(ImapError):
                take(response)
        for token in response.tokens:
            if isinstance(token, bytes):
                names.decode(token)

    def _message(self, message: Message) -> None:
        assert message.uid > 0


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run what has all it needs, without an event loop around it."""
    try:
        coroutine.send(None)
    except StopIteration as exc:
        return cast("T", exc.value)
    raise AssertionError("it waits for something")


def with_seeds(words: list[str]) -> list[str]:
    """Fill an empty folder of inputs and return the words with limits added."""
    for word in words[1:]:
        folder = Path(word)
        # A file is an input to be tried alone.
        if not word.startswith("-") and not folder.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            for number, seed in enumerate(SEEDS):
                (folder / f"seed{number}").write_bytes(seed)
    limits = ["-max_len=65536", "-timeout=20", "-rss_limit_mb=1024"]
    return [words[0], *limits, *words[1:]]


if __name__ == "__main__":
    os.umask(0o077)
    main()
