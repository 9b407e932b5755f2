from __future__ import annotations

import asyncio
import contextlib
from itertools import pairwise
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purelymanage.imap import responses
from purelymanage.imap.errors import ImapError, Refused
from purelymanage.imap.folders import FolderList, take_listing
from purelymanage.imap.messages import Selected, messages_taker, summaries_taker
from purelymanage.imap.responses import Data
from purelymanage.imap.wire import READ_AHEAD, Wire
from purelymanage.migrations.engines.pipeline.listing import Listing

WORDS = (
    b"* |1 FETCH (|UID |7 |RFC822.SIZE |FLAGS |(\\Seen)|BODY[] |{3}\r\nabc|{9}\r\n|)|\r\n"
    b'|LIST |() |"/" |INBOX|NIL |"|OK |[|UIDVALIDITY |] |PERMANENTFLAGS |P1 |+ |EXISTS'
    b'|INTERNALDATE |"17-Jul-1996 02:44:25 -0700" |99999999999999999999 |\0|\xff|~'
)
PIECES = st.sampled_from(WORDS.split(b"|"))


def read_all(pieces: list[bytes]) -> list[responses.Response]:
    """Read what comes in these pieces to its end, or to the first nonsense."""

    async def run() -> list[responses.Response]:
        reader = asyncio.StreamReader(limit=READ_AHEAD)
        wire = Wire("server", reader, cast("asyncio.StreamWriter", None))

        async def feed() -> None:
            for piece in pieces:
                reader.feed_data(piece)
                await asyncio.sleep(0)
            reader.feed_eof()

        feeding = asyncio.create_task(feed())
        found = []
        with contextlib.suppress(ImapError, EOFError):
            async with asyncio.timeout(5):
                while True:
                    found.append(responses.parse(await wire.read_response()))
        await feeding
        return found

    return asyncio.run(run())


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(PIECES, st.binary(max_size=6)), max_size=40))
def test_whatever_a_server_says_is_understood_or_refused(pieces: list[bytes]) -> None:
    selected, listing = Selected(), Listing()
    takers = (
        selected.take,
        take_listing(FolderList(), {}, set()),
        summaries_taker(listing.add),
        messages_taker(lambda message: None, with_body=True),
    )
    for response in read_all(pieces):
        for take in takers:
            with contextlib.suppress(ImapError):
                if isinstance(response, Data):
                    take(response)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60), st.lists(st.integers(0, 200), max_size=8))
def test_it_does_not_matter_where_a_response_is_split(
    body: bytes, places: list[int]
) -> None:
    said = b"* 1 FETCH (UID 7 BODY[] {%d}\r\n%s FLAGS (a))\r\n" % (len(body), body)
    said += b"P1 OK done\r\n"
    cuts = sorted({0, len(said), *(place % len(said) for place in places)})
    pieces = [said[a:b] for a, b in pairwise(cuts)]
    assert read_all(pieces) == read_all([said])
    assert len(read_all(pieces)) == 2


@pytest.mark.parametrize(
    ("code", "passes"),
    [
        ("THROTTLED", True),
        ("LIMIT", True),
        ("INUSE", True),
        ("UNAVAILABLE", True),
        ("OVERQUOTA", False),
        ("TOOBIG", False),
        ("", False),
    ],
)
def test_some_refusals_pass(code: str, *, passes: bool) -> None:
    assert Refused("Not now.", code=code).retry == passes


def test_a_limit_of_the_size_does_not_pass() -> None:
    words = "Mail size is larger than the maximum size allowed"
    assert not Refused("Not now.", words, code="LIMIT").retry
