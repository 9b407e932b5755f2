"""What imapsync and the servers complain of, sorted by what it means for the copy.

Its exit code names only the most frequent kind of error, so each one is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

MOST_TEXT = 300


class Kind(StrEnum):
    LOGIN = "login"
    CERTIFICATE = "certificate"
    NOBODY = "nobody listens"
    NO_NAME = "no such name"
    UNREACHABLE = "unreachable"
    INSECURE = "no secure connection"
    # Passes by itself, as the server says: `code` is its own.
    PASSING = "passing"
    LOST = "connection lost"
    QUOTA = "quota"
    SIZE = "size"
    REFUSED = "refused"
    UNREADABLE = "unreadable"
    # Neither Message-ID nor Received: imapsync leaves such a message out.
    NAMELESS = "nameless"
    FOLDER = "folder"
    FLAGS = "flags"
    BUDGET = "budget"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Complaint:
    kind: Kind
    # 1 is the source, 2 the destination, 0 where it does not matter.
    side: int = 0
    folder: str = ""
    uid: int = 0
    size: int = 0
    code: str = ""
    # The server's words, without anything of the message.
    text: str = ""
    arrived_at: datetime | None = None


# They say why a message is not at the destination, and would say it again.
LASTING = {Kind.NAMELESS, Kind.REFUSED, Kind.SIZE, Kind.UNREADABLE, Kind.OTHER}
PASSING = {"INUSE", "LIMIT", "SERVERBUG", "THROTTLED", "UNAVAILABLE"}
_PASSING_FOR_MESSAGES = {"INUSE", "THROTTLED", "UNAVAILABLE"}
_ANSWER = re.compile(
    r"(?:^|\s)(?:\d+ |\* )?(?P<state>NO|BAD|BYE)\b ?(?:\[(?P<code>[A-Z][A-Z-]*)[^]]*\])?"
    r"(?P<text>.*)"
)
_TIMES = re.compile(r"\s*\(\d+\.\d+ \+ [\d. +]*secs\)\.?\s*$")
# What is left of a code where the library has shortened the line.
_CUT = re.compile(r"^[0-9A-Z [-]*\.\.\. *")
_ADDRESS = re.compile(r"[^\s\[\]<>(){}\"',;:=]+@[^\s\[\]<>(){}\"',;:=]+")
_USER = re.compile(r"\b(user|authuser) \[[^]]*\]")
_SUBJECT = re.compile(r"\(?\s*\bSubject\b.*", re.DOTALL | re.IGNORECASE)

_FULL = re.compile(
    r"over ?quota|quota (?:limit|exceeded|will be)|disk quota|"
    r"exceed\w* \w* ?quota|mailbox (?:for user )?is full|find a bigger place",
    re.IGNORECASE,
)
_LARGE = re.compile(
    r"TOOBIG|(?:larger|bigger) than the (?:maximum|limit)|too (?:large|big)|"
    r"max\w* (?:message )?size|message size exceed|size of appendable",
    re.IGNORECASE,
)
_GONE = re.compile(
    r"\bBYE\b|broken pipe|timeout|timed out|timed-out|not connected|"
    r"connection (?:reset|closed|lost)|EOF|unconnected|write failed|no data read",
    re.IGNORECASE,
)
_CERTIFICATE = re.compile(r"certificate|hostname verification", re.IGNORECASE)
_NO_NAME = re.compile(
    r"not known|unknown host|no address associated|bad hostname|name resolution|"
    r"nodename nor servname",
    re.IGNORECASE,
)


def judge_connection(side: int, text: str) -> Complaint:
    """Say why there is no connection, or none that is safe."""
    if _CERTIFICATE.search(text):
        kind = Kind.CERTIFICATE
    elif re.search("connection refused", text, re.IGNORECASE):
        kind = Kind.NOBODY
    elif _NO_NAME.search(text):
        kind = Kind.NO_NAME
    elif re.search(r"\bSSL\b|\bTLS\b", text):
        kind = Kind.INSECURE
    else:
        kind = Kind.UNREACHABLE
    return Complaint(kind, side, text=redact(text))


def judge_login(side: int, text: str) -> Complaint:
    answer = _ANSWER.search(text)
    if answer is None or answer["state"] == "BYE":
        return Complaint(Kind.LOST, side, text=redact(text))
    code, words = answer["code"] or "", redact(answer["text"])
    kind = Kind.PASSING if code in PASSING else Kind.LOGIN
    return Complaint(kind, side, code=code, text=words)


def judge_message(side: int, text: str) -> tuple[Kind, str, str]:
    """Return kind, code and words of what a server said about one message."""
    answer = _ANSWER.search(text)
    code = (answer["code"] or "") if answer is not None else ""
    words = _CUT.sub("", redact(answer["text"] if answer is not None else text))
    refused = Kind.UNREADABLE if side == 1 else Kind.REFUSED
    if code == "OVERQUOTA" or _FULL.search(text):
        return Kind.QUOTA, "OVERQUOTA", words
    if code == "TOOBIG" or _LARGE.search(text):
        return Kind.SIZE, "TOOBIG", words
    if code in _PASSING_FOR_MESSAGES:
        return Kind.PASSING, code, words
    if answer is not None and answer["state"] != "BYE":
        return refused, code, words
    if answer is not None or _GONE.search(text) or not text.strip():
        return Kind.LOST, code, words
    return refused, code, words


def redact(text: str) -> str:
    """Return words for people, without subjects and addresses."""
    text = text.encode("utf-8", "replace").decode()
    text = _USER.sub(r"\1 […]", _SUBJECT.sub("…", text))
    text = _TIMES.sub("", _ADDRESS.sub("…", text))
    return " ".join(text.split())[:MOST_TEXT]
