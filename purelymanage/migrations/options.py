"""What may be chosen about a copy: a closed list, kept with the job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Self

from django.utils.formats import date_format

from purelymanage.errors import Refused
from purelymanage.figures import in_bytes, thin
from purelymanage.migrations.engines.base import Allowance, CopyOptions
from purelymanage.migrations.models import Job

LONGEST_NAME = 1000
MOST_FOLDERS = 5000
# Slower, and a mailbox takes weeks; faster is no limit at all.
RATES = (0.1, 1000.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOptions:
    """The options of one job. What is not chosen stays out of what is stored."""

    # Only these folders of the source, by the names people read; None is all.
    folders: tuple[str, ...] | None = None
    left_out: tuple[str, ...] = ()
    # Folder of the source, folder of the destination: where the rule is not wanted.
    mapping: tuple[tuple[str, str], ...] = ()
    subfolder: str = ""
    skip_trash: bool = False
    skip_junk: bool = False
    since: date | None = None
    max_message_bytes: int | None = None
    flags_only: bool = False
    messages_a_second: float | None = None

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Self:
        """Return what `as_stored` wrote. Raises Refused for anything else."""
        if unknown := set(stored) - {field.name for field in fields(cls)}:
            raise Refused(f"There is no option {min(unknown)}.")
        try:
            values: dict[str, Any] = {}
            for name, value in stored.items():
                values[name] = _READERS[name](value)
            return cls(**values)
        except (TypeError, ValueError) as exc:
            raise Refused("An option of this copy makes no sense.") from exc

    def as_stored(self) -> dict[str, Any]:
        """Return what differs from the standard, as JSON can hold it."""
        found: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value == field.default:
                continue
            if field.name == "mapping":
                value = dict(value)
            elif isinstance(value, tuple):
                value = list(value)
            elif isinstance(value, date):
                value = value.isoformat()
            found[field.name] = value
        return found

    def in_words(self) -> list[str]:
        """Say what was chosen, one option a sentence without its full stop."""
        words = []
        if self.flags_only:
            words.append("Only marks such as “read”, no messages")
        if self.folders is not None:
            number = len(self.folders)
            words.append(f"{thin(number)} chosen folder{'' if number == 1 else 's'}")
        if self.left_out:
            words.append(f"Without {', '.join(self.left_out)}")
        if self.skip_trash or self.skip_junk:
            skipped = ["trash"] * self.skip_trash + ["spam"] * self.skip_junk
            words.append(f"Without {' and '.join(skipped)}")
        if self.subfolder:
            words.append(f"Everything below {self.subfolder}")
        words += [f"{source} goes to {there}" for source, there in self.mapping]
        if self.since is not None:
            words.append(f"Only what arrived since {date_format(self.since, 'j F Y')}")
        if self.max_message_bytes is not None:
            words.append(f"No message over {in_bytes(self.max_message_bytes)}")
        if self.messages_a_second is not None:
            words.append(f"At most {self.messages_a_second:g} messages a second")
        return words


def copy_options(
    job: Job,
    *,
    dry_run: bool,
    allowance: Allowance | None = None,
    most_a_day: int | None = None,
) -> CopyOptions:
    """Return what an engine is told: the job's own choice within the servers' limits.

    Whoever chose folders one by one has seen which ones would be left out.
    """
    chosen = JobOptions.read(job.options)
    by_rule = chosen.folders is None
    left_out = (*chosen.left_out, *job.server.left_out_folders) if by_rule else ()
    there = job.destination_server
    rates = [job.server.messages_a_second, chosen.messages_a_second]
    rates += [there.messages_a_second] if there is not None else []
    return CopyOptions(
        dry_run=dry_run,
        folders=chosen.folders,
        left_out=tuple(dict.fromkeys(left_out)),
        mapping=chosen.mapping,
        subfolder=chosen.subfolder,
        skip_trash=chosen.skip_trash and by_rule,
        skip_junk=chosen.skip_junk and by_rule,
        since=chosen.since,
        max_message_bytes=chosen.max_message_bytes,
        flags_only=chosen.flags_only,
        messages_a_second=min((it for it in rates if it is not None), default=None),
        allowance=allowance,
        most_a_day=most_a_day,
    )


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _name(value: object) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_NAME:
        raise TypeError
    if any(ord(it) < 32 or ord(it) == 127 for it in value):
        raise ValueError
    return value


def _names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MOST_FOLDERS:
        raise TypeError
    return tuple(_name(it) for it in value)


def _chosen(value: object) -> tuple[str, ...] | None:
    return None if value is None else _names(value)


def _pairs(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict) or len(value) > MOST_FOLDERS:
        raise TypeError
    return tuple((_name(source), _name(there)) for source, there in value.items())


def _day(value: object) -> date | None:
    return None if value is None else date.fromisoformat(_name(value))


def _size(value: object) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError
    if value < 1:
        raise ValueError
    return value


def _rate(value: object) -> float | None:
    if value is None:
        return None
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise TypeError
    if not RATES[0] <= value <= RATES[1]:
        raise ValueError
    return float(value)


_READERS: dict[str, Callable[[object], Any]] = {
    "folders": _chosen,
    "left_out": _names,
    "mapping": _pairs,
    "subfolder": _name,
    "skip_trash": _flag,
    "skip_junk": _flag,
    "since": _day,
    "max_message_bytes": _size,
    "flags_only": _flag,
    "messages_a_second": _rate,
}
