"""Where the stand-in's IMAP servers keep their mail: one SQLite file per server.

The Maildir backend of pymap opens and parses a file per message at each look, which
is too slow for a copy of thousands; SQLite takes tens of microseconds a message.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = """
CREATE TABLE IF NOT EXISTS folder (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    use TEXT NOT NULL,
    subscribed INTEGER NOT NULL,
    next_uid INTEGER NOT NULL DEFAULT 1,
    UNIQUE (owner, name)
);
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY,
    folder INTEGER NOT NULL REFERENCES folder ON DELETE CASCADE,
    uid INTEGER NOT NULL,
    received INTEGER NOT NULL,
    zone INTEGER NOT NULL,
    flags TEXT NOT NULL,
    raw BLOB NOT NULL,
    UNIQUE (folder, uid)
);
"""
# Ids of folders are never used twice, hence neither are these.
FIRST_UID_VALIDITY = 1_700_000_000


@dataclass(frozen=True, slots=True)
class Folder:
    """`use` is the special use of RFC 6154, such as `Sent`, or empty."""

    id: int
    name: str
    use: str
    subscribed: bool
    next_uid: int

    @property
    def uid_validity(self) -> int:
        return FIRST_UID_VALIDITY + self.id


@dataclass(frozen=True, slots=True)
class Mail:
    """A message on its way into a folder."""

    raw: bytes
    received: datetime
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredMail:
    uid: int
    received: datetime
    flags: tuple[str, ...]
    size: int


@dataclass(frozen=True, slots=True)
class NewFolder:
    name: str
    use: str = ""
    mails: tuple[Mail, ...] = ()


class MailStore:
    """Folders and messages by owner. To be used from one thread at a time.

    A server sends and accepts `rate` bytes a second on each connection, 0 is no limit.
    """

    def __init__(self, path: Path | None) -> None:
        self.rate: float = 0
        self._db = sqlite3.connect(
            path or ":memory:", isolation_level=None, check_same_thread=False
        )
        # A stand-in need not survive a power cut, only a kill.
        self._db.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;"
            "PRAGMA foreign_keys = ON;" + SCHEMA
        )

    def close(self) -> None:
        self._db.close()

    def clear(self) -> None:
        self._db.execute("DELETE FROM folder")

    def folders(self, owner: str) -> list[Folder]:
        rows = self._db.execute(
            "SELECT id, name, use, subscribed, next_uid FROM folder"
            " WHERE owner = ? ORDER BY id",
            (owner,),
        )
        return [
            Folder(id_, name, use, bool(on), uid) for id_, name, use, on, uid in rows
        ]

    def add_folders(self, owner: str, folders: Iterable[NewFolder]) -> None:
        """Make folders with their messages, all or none."""
        with self._at_once():
            for folder in folders:
                added = self._add_folder(owner, folder.name, folder.use)
                for uid, mail in enumerate(folder.mails, 1):
                    self._insert(added, uid, mail)
                self._set_next_uid(added, len(folder.mails) + 1)

    def add_folder(self, owner: str, name: str) -> Folder:
        added = self._add_folder(owner, name, "")
        return Folder(added, name, use="", subscribed=True, next_uid=1)

    def rename_folder(self, folder: int, name: str) -> None:
        self._db.execute("UPDATE folder SET name = ? WHERE id = ?", (name, folder))

    def remove_folder(self, folder: int) -> None:
        self._db.execute("DELETE FROM folder WHERE id = ?", (folder,))

    def subscribe(self, folder: int, *, subscribed: bool) -> None:
        self._db.execute(
            "UPDATE folder SET subscribed = ? WHERE id = ?", (subscribed, folder)
        )

    def mails(self, folder: int) -> list[StoredMail]:
        rows = self._db.execute(
            "SELECT uid, received, zone, flags, length(raw) FROM message"
            " WHERE folder = ? ORDER BY uid",
            (folder,),
        )
        return [
            StoredMail(uid, _moment(received, zone), tuple(flags.split()), size)
            for uid, received, zone, flags, size in rows
        ]

    def raw(self, folder: int, uid: int) -> bytes:
        row = self._db.execute(
            "SELECT raw FROM message WHERE folder = ? AND uid = ?", (folder, uid)
        ).fetchone()
        return bytes(row[0]) if row else b""

    def add_mail(self, folder: int, uid: int, mail: Mail) -> None:
        with self._at_once():
            self._insert(folder, uid, mail)
            self._set_next_uid(folder, uid + 1)

    def set_flags(self, folder: int, uid: int, flags: Iterable[str]) -> None:
        self._db.execute(
            "UPDATE message SET flags = ? WHERE folder = ? AND uid = ?",
            (" ".join(flags), folder, uid),
        )

    def remove_mails(self, folder: int, uids: Iterable[int]) -> None:
        with self._at_once():
            self._db.executemany(
                "DELETE FROM message WHERE folder = ? AND uid = ?",
                [(folder, uid) for uid in uids],
            )

    @contextmanager
    def _at_once(self) -> Iterator[None]:
        self._db.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _add_folder(self, owner: str, name: str, use: str) -> int:
        cursor = self._db.execute(
            "INSERT INTO folder (owner, name, use, subscribed) VALUES (?, ?, ?, 1)",
            (owner, name, use),
        )
        return int(cursor.lastrowid or 0)

    def _insert(self, folder: int, uid: int, mail: Mail) -> None:
        offset = mail.received.utcoffset() or timedelta()
        self._db.execute(
            "INSERT INTO message (folder, uid, received, zone, flags, raw)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                folder,
                uid,
                int(mail.received.timestamp()),
                int(offset.total_seconds()),
                " ".join(mail.flags),
                mail.raw,
            ),
        )

    def _set_next_uid(self, folder: int, uid: int) -> None:
        self._db.execute("UPDATE folder SET next_uid = ? WHERE id = ?", (uid, folder))


def _moment(received: int, zone: int) -> datetime:
    return datetime.fromtimestamp(received, timezone(timedelta(seconds=zone)))
