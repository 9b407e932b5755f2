"""One question to one server, and what its answer means."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from dns.rdtypes.ANY.CNAME import CNAME
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.NS import NS
from dns.rdtypes.ANY.SOA import SOA
from dns.rdtypes.ANY.TXT import TXT
from dns.rdtypes.IN.SRV import SRV

from purelymanage.domains.dns.observations import (
    Answer,
    Failure,
    Outcome,
    Question,
    normal,
)
from purelymanage.domains.dns.servers import Server

DATAGRAM = 1232
LONGEST_CHAIN = 12
MOST_RECORDS = 500
# What PostgreSQL cannot keep, or a page cannot show.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
USUAL_NEGATIVE_TTL = 300


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with what its asker needs besides."""

    answer: Answer
    # How long it stays true, in seconds.
    keeps: int = 0
    # Where the chain of aliases ends without what was asked for, and with no word
    # about whether it exists: the asker has to go on from there.
    open_end: str = ""
    # The servers that somebody who is not responsible points to.
    referral: tuple[str, ...] = ()


def failed(failure: Failure, chain: tuple[str, ...] = ()) -> Reply:
    return Reply(Answer(Outcome.FAILED, failure=failure, chain=chain))


async def ask(question: Question, server: Server, *, timeout: float) -> Reply:
    """Ask one server, over TCP if its answer does not fit into a datagram."""
    # It brings three libraries for HTTP, and most processes never ask.
    from dns import asyncquery

    name, type = question
    try:
        query = _query(name, type, server)
    except (dns.exception.DNSException, UnicodeError, ValueError):
        # No server could have it: a label that is empty or too long, for example.
        return Reply(Answer(Outcome.NO_NAME), keeps=USUAL_NEGATIVE_TTL)
    where, port = server.host, server.port
    try:
        try:
            message = await asyncquery.udp(
                query, where, timeout, port, raise_on_truncation=True
            )
        except dns.message.Truncated:
            message = await asyncquery.tcp(query, where, timeout, port)
            if message.flags & dns.flags.TC:
                return failed(Failure.GARBLED)
        if message.rcode() in (dns.rcode.FORMERR, dns.rcode.NOTIMP):
            query.use_edns(False)  # noqa: FBT003  # some old servers know none
            message = await asyncquery.udp(query, where, timeout, port)
    except dns.exception.Timeout:
        return failed(Failure.TIMEOUT)
    except (dns.exception.DNSException, EOFError, ValueError, UnicodeError):
        return failed(Failure.GARBLED)
    except OSError:
        return failed(Failure.UNREACHABLE)
    return read(message, query.question[0].name, query.question[0].rdtype, server)


def _query(name: str, type: str, server: Server) -> dns.message.QueryMessage:
    plain = dns.name.from_text(name, idna_codec=dns.name.IDNA_2008_Practical)
    query = dns.message.make_query(plain, type, use_edns=0, payload=DATAGRAM)
    if server.is_resolver:
        query.flags |= dns.flags.AD
    else:
        query.flags &= ~dns.flags.RD
    return query


def read(
    message: dns.message.Message,
    name: dns.name.Name,
    type: dns.rdatatype.RdataType,
    server: Server,
) -> Reply:
    """Return what a message says, aliases followed."""
    rcode = message.rcode()
    if rcode == dns.rcode.REFUSED:
        return failed(Failure.REFUSED)
    if rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return failed(Failure.SERVFAIL)

    sets = {(it.name, it.rdtype): it for it in message.answer}
    chain: list[str] = []
    here, ttl = name, None
    while (here, type) not in sets and (here, dns.rdatatype.CNAME) in sets:
        alias = sets[here, dns.rdatatype.CNAME]
        here = alias[0].target
        ttl = alias.ttl if ttl is None else min(ttl, alias.ttl)
        target = _shown_name(here)
        if target in chain or here == name or len(chain) >= LONGEST_CHAIN:
            return failed(Failure.LOOP, tuple(chain))
        chain.append(target)

    is_authoritative = bool(message.flags & dns.flags.AA)
    if not server.is_resolver and not is_authoritative and not message.answer:
        return replace(failed(Failure.LAME), referral=_referral(message.authority))
    found = sets.get((here, type))
    if found is not None:
        keeps = found.ttl if ttl is None else min(ttl, found.ttl)
        answer = Answer(
            Outcome.FOUND,
            tuple(sorted({_value(it) for it in found}))[:MOST_RECORDS],
            ttl=found.ttl,
            chain=tuple(chain),
            is_secure=bool(message.flags & dns.flags.AD),
        )
        return Reply(answer, keeps)

    nothing = Outcome.NO_NAME if rcode == dns.rcode.NXDOMAIN else Outcome.NO_DATA
    answer = Answer(
        nothing, chain=tuple(chain), is_secure=bool(message.flags & dns.flags.AD)
    )
    keeps = _negative_ttl(message.authority)
    if ttl is not None:
        keeps = min(keeps, ttl)
    is_open = chain and not server.is_resolver
    return Reply(answer, keeps, chain[-1] if is_open else "")


def with_alias(first: Answer, rest: Reply) -> Reply:
    """Return the end of a chain whose beginning another server told."""
    if set(first.chain) & set(rest.answer.chain):
        return failed(Failure.LOOP, first.chain)
    answer = replace(rest.answer, chain=first.chain + rest.answer.chain)
    return Reply(answer, rest.keeps)


def _negative_ttl(authority: list[dns.rrset.RRset]) -> int:
    for found in authority:
        for record in found:
            if isinstance(record, SOA):
                return min(found.ttl, int(record.minimum))
    return USUAL_NEGATIVE_TTL


def _referral(authority: list[dns.rrset.RRset]) -> tuple[str, ...]:
    return tuple(
        _shown_name(it.target)
        for found in authority
        for it in found
        if isinstance(it, NS)
    )


def _value(record: dns.rdata.Rdata) -> str:
    match record:
        case TXT():
            text = b"".join(record.strings).decode(errors="backslashreplace")
            return CONTROL.sub(lambda it: f"\\{ord(it.group()):03}", text)
        case MX():
            return f"{record.preference} {_shown_name(record.exchange)}"
        case SRV():
            numbers = f"{record.priority} {record.weight} {record.port}"
            return f"{numbers} {_shown_name(record.target)}"
        case CNAME() | NS():
            return _shown_name(record.target)
    return record.to_text()


def _shown_name(name: dns.name.Name) -> str:
    return normal(name.to_text()) or "."
