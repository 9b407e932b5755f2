"""Records to set, in forms that can be taken elsewhere."""

from __future__ import annotations

from purelymanage.domains.dns.expected import MAIL_HOST, Kind
from purelymanage.domains.dns.names import unicode_name
from purelymanage.domains.dns.verdicts import Health, State, Verdict
from purelymanage.sheets.writing import as_csv

LONGEST_STRING = 255
HEADINGS = ("Name", "Full name", "Type", "Priority", "Value", "TTL", "What to do")
BEFORE_MX = "from then on mail arrives at PurelyMail and nowhere else"


def bind_zone(health: Health) -> str:
    """Return the records as lines for the zone file of BIND and its kin."""
    lines = [
        f"; Records for mail of {health.domain} at PurelyMail",
        f"$ORIGIN {health.zone}.",
    ]
    for it in _in_order(health):
        record = it.record
        if it.found:
            lines += [f"; instead of: {_comment(found)}" for found in it.found]
        if _moves_mail(it):
            lines.append(f"; last, when the mailboxes are there: {BEFORE_MX}")
        lines.append(
            f"{record.relative_name}\t{record.ttl}\tIN\t{record.type}\t{_rdata(it)}"
        )
    return "\n".join(lines) + "\n"


def comma_separated(health: Health) -> str:
    rows = [
        (
            it.record.relative_name,
            it.record.name,
            it.record.type,
            "" if it.record.priority is None else it.record.priority,
            it.value_to_set,
            it.record.ttl,
            _task(it),
        )
        for it in _in_order(health)
    ]
    return "".join(as_csv(HEADINGS, rows))


def plain_text(health: Health) -> str:
    """Return a letter to whoever runs the DNS."""
    shown = unicode_name(health.domain)
    wanted = _in_order(health)
    if not wanted:
        return f"All records for mail of {shown} are in place. Nothing has to be set.\n"
    what = "record" if len(wanted) == 1 else "records"
    lines = [
        "Hello,",
        "",
        f"mail for {shown} is handled by PurelyMail. Please set the following {what}"
        f" in the DNS zone {unicode_name(health.zone)}:",
        "",
    ]
    for number, it in enumerate(wanted, 1):
        record = it.record
        lines.append(f"{number}. {_task(it)}: {record.kind.label}")
        lines.append(f"   Name:     {record.relative_name} (in full: {record.name})")
        lines.append(f"   Type:     {record.type}")
        if record.priority is not None:
            lines.append(f"   Priority: {record.priority}")
        lines.append(f"   Value:    {it.value_to_set}")
        if it.found:
            lines.append(f"   Now:      {'; '.join(it.found)}")
        if _moves_mail(it):
            lines.append(f"   Please ask us before you set this one: {BEFORE_MX}.")
        lines.append("")
    lines.append(
        "The values are host names in full and texts without quotation marks. Please"
        " set nothing behind a proxy, and only one SPF record."
    )
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    """Return a text in the quotes of a zone file, in strings of at most 255 bytes."""
    data = text.encode()
    pieces = [
        data[at : at + LONGEST_STRING]
        for at in range(0, max(len(data), 1), LONGEST_STRING)
    ]
    return " ".join(f'"{"".join(map(_escaped, piece))}"' for piece in pieces)


def _in_order(health: Health) -> list[Verdict]:
    """Return the records to set, MX last: it is what takes mail away elsewhere."""
    return sorted(health.to_set, key=lambda it: it.kind is Kind.MX)


def _moves_mail(verdict: Verdict) -> bool:
    return verdict.kind is Kind.MX and MAIL_HOST not in " ".join(verdict.found)


def _escaped(byte: int) -> str:
    character = chr(byte)
    if character in '"\\':
        return f"\\{character}"
    return character if " " <= character <= "~" else f"\\{byte:03d}"


def _rdata(verdict: Verdict) -> str:
    record = verdict.record
    if record.type == "TXT":
        return quoted(verdict.value_to_set)
    value = f"{verdict.value_to_set}."
    return value if record.priority is None else f"{record.priority} {value}"


def _task(verdict: Verdict) -> str:
    if verdict.state is State.MISSING:
        return "Add"
    return "Replace" if len(verdict.found) < 2 else "Set instead of those there are"


def _comment(text: str) -> str:
    return "".join(it if it.isprintable() else " " for it in text)
