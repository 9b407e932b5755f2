"""The command line of a run. Passwords are not part of it, only where to read them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from purelymanage.imap.account import Account, Security
from purelymanage.imap.errors import ImapError
from purelymanage.migrations.engines.base import CopyOptions

# It ends without its statistics when it has seen so many errors.
MOST_ERRORS = 2_000
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()  # noqa: SIM905


class Unsupported(ImapError):
    """What is wanted is nothing that imapsync can do."""


@dataclass(frozen=True, slots=True)
class Way:
    """A folder of the source and the one it goes into, as their servers write them."""

    source: str
    destination: str


@dataclass(frozen=True, slots=True)
class Access:
    """Where it finds what it needs to get into one side."""

    password_fd: int
    ca_file: str = ""
    ca_folder: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One start of the program."""

    source: Account
    destination: Account
    options: CopyOptions
    # In this order; the last one gets only what lies in none of the others.
    ways: Sequence[Way] = ()
    last_takes_the_rest: bool = False
    # It ends after so many bytes, and leaves out what is larger than this.
    most_bytes: int | None = None
    largest: int | None = None
    only_log_in: bool = False
    # It counts both sides itself, as we could not.
    counts: bool = False
    # How the passwords travel: by AUTHENTICATE PLAIN, else by LOGIN.
    plain: bool = False


def arguments(
    program: str, errand: Errand, access: tuple[Access, Access], folder: str
) -> list[str]:
    """Return the whole command; each value of somebody else's is one argument."""
    options = errand.options
    found = [
        program,
        *_side("1", errand.source, access[0], errand),
        *_side("2", errand.destination, access[1], errand),
        f"--tmpdir={folder}",
        f"--pidfile={pid_file(folder)}",
        # It would choose another folder for itself.
        "--nodockercontext",
        "--noid",
        "--nolog",
        "--noreleasecheck",
        "--no-modulesversion",
        f"--errorsmax={MOST_ERRORS}",
    ]
    if errand.only_log_in:
        return [*found, "--justlogin"]
    if not errand.counts:
        # Both sides were counted before, and will be again.
        found += ["--nofoldersizes", "--nofoldersizesatend"]
    found += [
        # What was read or marked at the destination meanwhile stays as it is.
        "--noresyncflags",
        # Two messages with one identity are two messages.
        "--syncduplicates",
        "--nousecache",
    ]
    if options.since is not None:
        found.append(f"--search1=SINCE {_day(options.since)}")
    sizes = [options.max_message_bytes, options.most_a_day, errand.largest]
    if any(size is not None for size in sizes):
        # It leaves out what is as large, too.
        largest = min(size for size in sizes if size is not None)
        found.append(f"--maxsize={largest + 1}")
    if options.messages_a_second is not None:
        found.append(f"--maxmessagespersecond={options.messages_a_second:g}")
        # By default it waits two seconds at most, whatever the limit.
        found.append("--maxsleep=600")
    if errand.most_bytes is not None:
        found.append(f"--exitwhenover={max(1, errand.most_bytes)}")
    for way in errand.ways:
        found.append(f"--folder={way.source}")
        found.append(f"--f1f2={way.source}={way.destination}")
    if errand.last_takes_the_rest:
        found.append(f"--folderlast={errand.ways[-1].source}")
        found.append("--skipcrossduplicates")
    return found


def pid_file(folder: str) -> str:
    return os.path.join(folder, "pid")  # noqa: PTH118 - text for another program


def refuse_unsupported(
    source: Account, destination: Account, options: CopyOptions
) -> None:
    """Raise Unsupported for what imapsync cannot be asked to do."""
    if options.flags_only:
        raise Unsupported(
            "imapsync cannot bring over flags alone. The engine pipeline can."
        )
    for account in (source, destination):
        if any(ord(c) < 0x20 or ord(c) == 0x7F for c in account.user + account.host):
            raise Unsupported(f"The name of the user at the {account.side} is not one.")
        if any(character in account.password for character in "\r\n\0"):
            raise Unsupported(
                f"imapsync takes passwords of one line only, not that of the "
                f"{account.side}. The engine pipeline does."
            )


def needs_plain(*accounts: Account) -> bool:
    """Say whether a name or a password is more than LOGIN can carry everywhere."""
    return not all(it.user.isascii() and it.password.isascii() for it in accounts)


def can_go(way: Way) -> bool:
    """Say whether imapsync understands this mapping: an equals sign parts the names."""
    unusable = "\r\n\0"
    names = way.source + way.destination
    return "=" not in way.source and not any(c in names for c in unusable)


def _side(number: str, account: Account, access: Access, errand: Errand) -> list[str]:
    timeout = max(1, round(errand.options.read_timeout))
    found = [
        f"--host{number}={account.host}",
        f"--port{number}={account.port}",
        f"--user{number}={account.user}",
        f"--passfile{number}=/dev/fd/{access.password_fd}",
        f"--timeout{number}={timeout}",
    ]
    if errand.plain:
        # It sends the one as who acts and the other as who signs in: the same person.
        found += [f"--authmech{number}=PLAIN", f"--authuser{number}={account.user}"]
    match account.security:
        case Security.CLEAR:
            return [*found, f"--nossl{number}", f"--notls{number}"]
        case Security.STARTTLS:
            found += [f"--nossl{number}", f"--tls{number}"]
        case Security.TLS:
            found += [f"--ssl{number}", f"--notls{number}"]
    settings = {"SSL_verify_mode": "0"}
    if account.verify_certificate:
        # By itself it trusts everybody, and under STARTTLS any name.
        settings = {
            "SSL_verify_mode": "1",
            "SSL_verifycn_scheme": "imap",
            "SSL_verifycn_name": account.host,
            "SSL_ca_file": access.ca_file,
            "SSL_ca_path": access.ca_folder,
        }
    settings["SSL_hostname"] = account.host if _is_name(account.host) else ""
    return found + [
        f"--sslargs{number}={key}={value}" for key, value in settings.items() if value
    ]


def _is_name(host: str) -> bool:
    """Say whether a host may be asked for by name; addresses may not."""
    return ":" not in host and not host.replace(".", "").isdigit()


def _day(day: date) -> str:
    """Write a day as IMAP does, in whatever language the machine speaks."""
    return f"{day.day}-{_MONTHS[day.month - 1]}-{day.year}"
