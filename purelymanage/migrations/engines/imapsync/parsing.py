"""What imapsync prints, line by line. Nothing here does more than read text.

Its lines are made for people, and parts of them come from servers and from strangers'
messages: whatever is not recognised beyond doubt goes to the log and nowhere else.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from purelymanage.imap import names
from purelymanage.migrations.engines.base import Phase

from .complaints import (
    Complaint,
    Kind,
    judge_connection,
    judge_login,
    judge_message,
    redact,
)
from .hiding import Hider

LONGEST_LINE = 4_000
MOST_COMPLAINTS = 2_000
MOST_FOLDERS = 20_000
MOST_FIGURES = 100

_PHASES = (
    ("Host1: found ", Phase.LISTING),
    ("Folders sizes before the synchronization", Phase.READING),
    ("++++ Looping on each one of ", Phase.COPYING),
    ("++++ End looping on each folder", Phase.COMPARING),
)
_ORDER = [Phase.CONNECTING, Phase.LISTING, Phase.READING, Phase.COPYING]
_ORDER += [Phase.COMPARING, Phase.DONE]
# What says nothing to a person, or too much: users and their addresses.
_DULL = re.compile(
    r"$|ETA: |msg .*(?:copied to|copying to) |kill -|Command line used|\S*imapsync --|"
    r"Effective user|Real user|\$RCSfile|Load is |PID is|File \S+ does not exist|"
    r"PID file|Writing my PID|Temp directory|Removing pidfile|No log file|"
    r"Host[12](?: capability|: imap connection|: will try|: IMAP server|: Use |: SSL def)|"
    r"Host[12] (?:banner|IP address)|Host2-Host1|\* |\[|Err \d+/|Disconnecting|"
    r"Check if a new|Homepage|You can remove|but then you will also|sleeping |"
    r"Here is imapsync|with Perl|Transfer started at|DEBUG: |In order to|"
    r"Current dir|SSL debug|Info: |Host[12]: (?:state|guessing|separator|prefix|checking if)|"
    r"Host[12]: Checking|Turned o|Good! SEARCH|Checking SEARCH|Host[12]: folders list|"
    r"Host[12]: folder .* (?:considering|has the same|found by|mentioned by|permanentf)|"
    r"Host[12]: Compression|Host[12]: No QUOTA|Host[12]: .* says it has|Memory |Load end|"
    r"CPU time|Transfer (?:started|ended)|Folders mapping from|Strange: cpu_time|"
    r"All foldernames|When a foldername|X is the|Y is the|\d+ OK |Read:|Sent \d|Sending:"
)
_LOGGED_IN = re.compile(r"Host([12]): success login on \[")
_LOGIN = re.compile(
    r"Host([12]) failure: Error login on \[.*\] with user \[.*"
    r"\] auth \[[^\]]*\](?: using proxy-login as \[.*\])?: (.*)"
)
_CONNECTION = re.compile(
    r"Host([12]) failure: can not open imap connection on host[12] \[.*"
    r"\] with user \[.*\]: (.*)"
)
_TLS = re.compile(
    r"Host([12]) failure: Can not go to tls encryption on host[12] \[.*?\]: (.*)"
)
_SIZE = re.compile(
    r"Host([12]) folder +(\d{1,18})/\d+ \[(.*)\] +Size: +(\d{1,18}) Messages: +(\d{1,18}) "
    r"Biggest: +(\d{1,18})\s*$"
)
_TOTAL = re.compile(
    r"Host([12]) (Nb folders|Nb messages|Total size|Biggest message): +(\d{1,18}) "
)
_FOLDER = re.compile(r"Folder +\d+/\d+ (\[.*)")
_ITEM = re.compile(r"/(\d{1,18}) \{(\d{1,18})\}(?: S\[(\d{1,18})\])? ?")
_DRY_ITEM = re.compile(r"/(\d{1,18})()()(?= copying to )")
_COPIED = re.compile(r" *copied to ")
_WOULD = re.compile(r" *copying to .*\(not really since --dry mode\)")
_APPEND = re.compile(r" *could not append \( Subject:\[")
_FETCH = re.compile(r".*? could not be fetched: ?(.*)", re.DOTALL)
_DATE = re.compile(r', Date:\["([^"\]]{20,30})"\], Size:\[\d*\], Flags:\[')
_IDATE = re.compile(r" I\[([^\]]{20,30})\]")
_NAMELESS = re.compile(r"/(\d{1,18}) size (\d{1,18}) ignored \(no wanted headers")
_ABOUT_FOLDER = re.compile(
    r"(?:Host([12]):? [Ff]older .*: ?Could not (?:select|examine|fetch_hash)"
    r"|Could not create folder \[.*\] from \[.*?\](?=: ))(.*)"
)
_LEFT = re.compile(r"(\d{1,18})/(\d{1,18}) msgs left\s*$")
_FIGURE = re.compile(r"([A-Z][^:]{3,38}?) *: (.*)")
_EXIT = re.compile(
    r"Exiting with return value (\d{1,18}) \((.*?)\) (\d{1,18})/(\d{1,18}) nb_errors/max_errors PID \d+"
)
_MODULE = re.compile(r"Can't locate (\S+) in @INC")


@dataclass(frozen=True, slots=True)
class Size:
    messages: int
    bytes: int
    largest: int


@dataclass(frozen=True, slots=True)
class Exit:
    """How it says that it ends; only the system knows how it did."""

    code: int
    name: str
    errors: int


class Transcript:
    """What is known of a run from its lines; folders are named as on the wire."""

    def __init__(
        self,
        folders: Iterable[str] = (),
        users: Iterable[str] = (),
        passwords: Iterable[str] = (),
    ) -> None:
        self.phase = Phase.CONNECTING
        self.phases = [Phase.CONNECTING]
        self.logged_in: set[int] = set()
        # Of both sides, by their number, before and after the copying.
        self.before: dict[int, dict[str, Size]] = {1: {}, 2: {}}
        self.after: dict[int, dict[str, Size]] = {1: {}, 2: {}}
        self.totals: dict[tuple[int, str], int] = {}
        self.current = ""
        # Whether it is at the headers of a huge folder, which takes its time.
        self.reading = False
        self.copied: Counter[str] = Counter()
        self.bytes_copied: Counter[str] = Counter()
        self.would_copy: Counter[str] = Counter()
        self.left: int | None = None
        self.complaints: list[Complaint] = []
        self.figures: dict[str, str] = {}
        self.exit: Exit | None = None
        self.missing_module = ""
        self.not_started = ""
        self._known = dict.fromkeys(folders)
        self._users = [user for user in users if len(user) > 2]
        # It never prints them, and nothing depends on that.
        self._hide = Hider(passwords).hide
        self._said: set[tuple[str, int, Kind, int]] = set()
        self._readers: list[Callable[[str], bool]] = [
            self._read_message,
            self._read_folder,
            self._read_size,
            self._read_failure,
            self._read_progress,
            self._read_end,
        ]

    def feed(self, line: str) -> str:
        """Take one line in; return what may go to the log, or nothing."""
        line = line.rstrip("\r\n")
        if len(line) > LONGEST_LINE:
            # A server may say as much as it likes; what matters is at both ends.
            line = self._hide(line)
            line = line[: LONGEST_LINE // 2] + line[-LONGEST_LINE // 2 :]
        self._follow(line)
        if line.startswith(("Host1: parsing headers", "Host2: parsing headers")):
            self.reading = True
        elif line.startswith(("msg ", "- msg ", "Folder ", "ETA: ")):
            self.reading = False
        error = re.match(r"Err \d+/\d+: ", line)
        body = line[error.end() :] if error else line
        for reader in self._readers:
            if reader(body):
                break
        if _DULL.match(line):
            return ""
        return self._clean(line)

    @property
    def messages_copied(self) -> int:
        return sum(self.copied.values())

    @property
    def ended(self) -> bool:
        return self.exit is not None

    def _follow(self, line: str) -> None:
        for beginning, phase in _PHASES:
            if line.startswith(beginning):
                self._enter(phase)

    def _enter(self, phase: Phase) -> None:
        """Go on to a later phase; nothing that is said leads back to an earlier one."""
        if _ORDER.index(phase) > _ORDER.index(self.phase):
            self.phase = phase
            self.phases.append(phase)

    def _clean(self, line: str) -> str:
        line = self._hide(line)
        for user in self._users:
            line = line.replace(user, "…")
        return redact(line)

    # Messages

    def _read_message(self, line: str) -> bool:
        failed = line.startswith("- msg ")
        if not failed and not line.startswith("msg "):
            return self._read_nameless(line)
        rest = line.removeprefix("- ").removeprefix("msg ")
        found = self._split(rest, _ITEM) or self._split(rest, _DRY_ITEM)
        if found is None:
            return failed
        folder, item, what = found
        uid, size = int(item[1]), int(item[2] or 0)
        if failed:
            self._read_failed(folder, uid, int(item[3] or size), what)
        elif _COPIED.match(what):
            self.copied[folder] += 1
            self.bytes_copied[folder] += size
            self._read_left(what)
        elif _WOULD.match(what):
            self.would_copy[folder] += 1
            self._read_left(what)
        return True

    def _read_failed(self, folder: str, uid: int, size: int, what: str) -> None:
        if _APPEND.match(what):
            kind, code, text = judge_message(2, self._hide(_refusal(what)))
            date, side = _last(_DATE, what), 2
        elif fetched := _FETCH.match(what):
            kind, code, text = judge_message(1, self._hide(fetched[1]))
            date, side = _last(_IDATE, what), 1
        else:
            kind, code, text, date, side = Kind.OTHER, "", "", "", 0
        arrived_at = _moment(date)
        self._complain(Complaint(kind, side, folder, uid, size, code, text, arrived_at))

    def _read_nameless(self, line: str) -> bool:
        if not line.startswith("Host1: ") or " ignored (no wanted headers" not in line:
            return False
        found = self._split(line.removeprefix("Host1: "), _NAMELESS)
        if found is not None:
            folder, item, _ = found
            self._complain(
                Complaint(Kind.NAMELESS, 1, folder, int(item[1]), int(item[2]))
            )
        return True

    def _split(
        self, text: str, item: re.Pattern[str]
    ) -> tuple[str, re.Match[str], str] | None:
        """Part a folder's name from what follows; both may hold the same characters."""
        if self.current and text.startswith(self.current):
            found = item.match(text, len(self.current))
            if found is not None:
                return self.current, found, text[found.end() :]
        for found in item.finditer(text):
            if text[: found.start()] in self._known:
                return text[: found.start()], found, text[found.end() :]
        return None

    # Folders

    def _read_folder(self, line: str) -> bool:
        found = _FOLDER.match(line)
        if found is None:
            return False
        rest = found[1]
        fitting = [name for name in self._known if rest.startswith(f"[{name}]")]
        self.current = max(fitting, key=len, default="")
        return True

    def _read_size(self, line: str) -> bool:
        if found := _SIZE.match(line):
            side, name = int(found[1]), _wire(found[3])
            sizes = self.after if self.phase == Phase.COMPARING else self.before
            if len(sizes[side]) < MOST_FOLDERS:
                size = Size(int(found[5]), int(found[4]), int(found[6]))
                sizes[side][name] = size
                if side == 1:
                    self._known[name] = None
            return True
        if found := _TOTAL.match(line):
            self.totals[int(found[1]), found[2]] = int(found[3])
            return True
        return False

    # Trouble

    def _read_failure(self, line: str) -> bool:
        if found := _LOGIN.match(line):
            self._complain(judge_login(int(found[1]), self._hide(found[2])))
        elif found := (_CONNECTION.match(line) or _TLS.match(line)):
            self._complain(judge_connection(int(found[1]), self._hide(found[2])))
        elif line.startswith("Maximum bytes transferred reached"):
            self._complain(Complaint(Kind.BUDGET))
        elif found := _ABOUT_FOLDER.match(line):
            side = int(found[1] or 2)
            kind, code, text = judge_message(
                side, self._hide(found[2].removeprefix(": "))
            )
            if kind not in {Kind.QUOTA, Kind.PASSING, Kind.LOST}:
                kind = Kind.FOLDER
            self._complain(Complaint(kind, side, self.current, code=code, text=text))
        elif found := _MODULE.match(line):
            self.missing_module = redact(self._hide(found[1]))
        elif line.startswith("Can't start it: "):
            self.not_started = redact(self._hide(line.removeprefix("Can't start it: ")))
        else:
            return False
        return True

    def _complain(self, complaint: Complaint) -> None:
        """Remember it once: each is printed when it happens and listed at the end."""
        key = (complaint.folder, complaint.uid, complaint.kind, complaint.side)
        if key not in self._said and len(self.complaints) < MOST_COMPLAINTS:
            self._said.add(key)
            self.complaints.append(complaint)

    # The rest

    def _read_progress(self, line: str) -> bool:
        if line.startswith("ETA: "):
            self._read_left(line)
            return True
        found = _LOGGED_IN.match(line)
        if found is not None:
            self.logged_in.add(int(found[1]))
        return found is not None

    def _read_left(self, line: str) -> None:
        found = _LEFT.search(line)
        if found is not None:
            self.left = int(found[1])

    def _read_end(self, line: str) -> bool:
        if found := _EXIT.match(line):
            self.exit = Exit(int(found[1]), found[2], int(found[3]))
            self._enter(Phase.DONE)
            return True
        if self.phase == Phase.CONNECTING or len(self.figures) >= MOST_FIGURES:
            return False
        if line.startswith(("Host", "Err ", "msg ", "- msg ")):
            return False
        found = _FIGURE.match(line)
        if found is not None and len(line) > 41 and line[40] == ":":
            self.figures[self._hide(found[1])] = redact(self._hide(found[2]))
            return True
        return False


def _wire(shown: str) -> str:
    """Return the name on the wire from `wire] = [as people write it`, or as it is."""
    at = shown.find("] = [")
    while at >= 0:
        wire, readable = shown[:at], shown[at + 5 :]
        if names.decode(wire.encode("utf-8", "surrogateescape")) == readable:
            return wire
        at = shown.find("] = [", at + 1)
    return shown


def _refusal(text: str) -> str:
    """Return the server's words. The subject is a stranger's, so the end counts."""
    tail = text.rpartition("] ) to folder ")[2]
    for mark in ("': ", "... "):
        if mark in tail and "Error sending '" in tail:
            return tail.rpartition(mark)[2]
    return tail.partition(": ")[2]


def _last(pattern: re.Pattern[str], text: str) -> str:
    found = ""
    for match in pattern.finditer(text):
        found = match[1]
    return found


def _moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text.strip(), "%d-%b-%Y %H:%M:%S %z")
    except ValueError:
        return None
