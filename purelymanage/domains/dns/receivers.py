"""What receivers make of SPF and DMARC records, worked out by checkdmarc.

It is given the answers there are instead of a network, so the same observation always
brings the same result.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import checkdmarc.utils  # type: ignore[import-untyped]  # without stubs
import dns.exception
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.resolver
from checkdmarc import dmarc, spf
from dns.rdtypes.ANY.TXT import TXT
from expiringdict import ExpiringDict  # type: ignore[import-untyped]  # likewise

from purelymanage.domains.dns.expected import SPF_HOST
from purelymanage.domains.dns.names import is_askable
from purelymanage.domains.dns.observations import (
    Answer,
    Observation,
    Outcome,
    Question,
    normal,
)
from purelymanage.domains.dns.terms import is_spf, spf_hosts, spf_walk

EXPLANATION = re.compile(r"\s+exp=\S+", re.IGNORECASE)
LONGEST_STRING = 255


class Forgetful(ExpiringDict):  # type: ignore[misc]  # it comes without types
    def __setitem__(self, key: Any, value: Any) -> None:
        pass


# checkdmarc keeps answers for half an hour in a place that all checks share, whoever
# gave them. Here one observation must not colour the next.
checkdmarc.utils.DNS_CACHE = Forgetful(max_len=1, max_age_seconds=1)


class Unknown(dns.exception.DNSException):
    """It could not be looked up."""


class Answers:
    """Stands in for a resolver: answers from an observation, or that nothing is."""

    lifetime = 1.0

    def __init__(self, observation: Observation | None = None) -> None:
        self._observation = observation
        self._followed = (
            {name for name, _ in spf_walk(observation, observation.domain)}
            if observation
            else set()
        )

    def resolve(self, name: str, type: str, **_: object) -> list[dns.rdata.Rdata]:
        answer = self._answer(normal(name), type)
        if answer.is_found:
            return _rdata(type, answer.records)
        if answer.outcome is Outcome.NO_NAME:
            raise dns.resolver.NXDOMAIN
        if answer.is_absent:
            raise dns.resolver.NoAnswer
        raise Unknown

    def _answer(self, name: str, type: str) -> Answer:
        if self._observation is None or not is_askable(name):
            return Answer(Outcome.NO_NAME)
        answer = self._observation.answer(name, type)
        if type == "TXT":
            is_left_out = name not in self._followed and not answer.is_known
            # Records beyond the depth that is followed count, but lead no further.
            # PurelyMail's own is not the domain's business.
            if is_left_out or (name == SPF_HOST and not answer.is_found):
                return Answer(Outcome.FOUND, ("v=spf1 -all",))
            texts = tuple(_readable(it) for it in answer.records)
            return Answer(answer.outcome, texts)
        if type == "AAAA" and self._observation.answer(name, "A").is_found:
            return Answer(Outcome.NO_DATA)
        if type in ("SPF", "CNAME"):
            return Answer(Outcome.NO_DATA)
        return answer


def _readable(record: str) -> str:
    """Return an SPF record as checkdmarc takes it.

    It fetches explanations past the resolver that is handed in, and insists on small
    letters in the version, which the standard does not.
    """
    if not is_spf(record):
        return record
    return f"v=spf1{EXPLANATION.sub('', record[len('v=spf1') :])}"


def _rdata(type: str, records: Iterable[str]) -> list[dns.rdata.Rdata]:
    found: list[dns.rdata.Rdata] = []
    for record in records:
        if type == "TXT":
            data = record.encode(errors="replace")
            strings = [
                data[at : at + LONGEST_STRING]
                for at in range(0, len(data), LONGEST_STRING)
            ]
            found.append(TXT(dns.rdataclass.IN, dns.rdatatype.TXT, strings or [b""]))
            continue
        try:
            found.append(dns.rdata.from_text("IN", type, record))
        except (dns.exception.DNSException, ValueError):
            continue
    return found


@dataclass(frozen=True, slots=True)
class SpfResult:
    """How a receiver fares with an SPF record; problem is empty if it does well."""

    # syntax, lookups, voids, loop, include, or empty.
    problem: str = ""
    # The words no receiver understands, or the name at fault.
    culprits: tuple[str, ...] = ()
    lookups: int = 0
    voids: int = 0
    # What could not be looked up on the way, so that the result may yet change.
    unknown: tuple[Question, ...] = ()


def evaluate_spf(record: str, observation: Observation) -> SpfResult:
    domain = observation.domain
    unknown = tuple(_unknown(observation))
    record = _readable(record)
    resolver = cast(dns.resolver.Resolver, Answers(observation))
    try:
        result = spf.parse_spf_record(record, domain, resolver=resolver, retries=0)
    except spf.SPFSyntaxError:
        culprits = tuple(bad_words(record))
        if culprits:
            return SpfResult("syntax", culprits, unknown=unknown)
        return SpfResult("include", unknown=unknown)
    except spf.SPFTooManyDNSLookups:
        return SpfResult("lookups", unknown=unknown)
    except spf.SPFTooManyVoidDNSLookups:
        return SpfResult("voids", unknown=unknown)
    except (spf.SPFIncludeLoop, spf.SPFRedirectLoop):
        return SpfResult("loop", unknown=unknown)
    except spf.SPFError:
        # A record that could not be looked up may be all right.
        if any(type == "TXT" for _, type in unknown):
            return SpfResult(unknown=unknown)
        return SpfResult("include", unknown=unknown)
    return SpfResult(
        lookups=result["dns_lookups"],
        voids=result["void_dns_lookups"],
        unknown=unknown,
    )


def bad_words(record: str) -> list[str]:
    """Return the words of an SPF record that no receiver understands."""
    return [word for word in record.split()[1:] if not _is_understood(word)]


def _is_understood(word: str) -> bool:
    resolver = cast(dns.resolver.Resolver, Answers())
    try:
        spf.parse_spf_record(
            _readable(f"v=spf1 {word}"),
            "example.org",
            resolver=resolver,
            retries=0,
        )
    except spf.SPFSyntaxError:
        return False
    except spf.SPFError:
        return True
    return True


def _unknown(observation: Observation) -> Iterable[Question]:
    for name, answer in spf_walk(observation, observation.domain):
        if not answer.is_known:
            yield name, "TXT"
    for host, type in spf_hosts(observation, observation.domain):
        answer = observation.answer(host, type)
        if answer.outcome is Outcome.NO_DATA and type == "A":
            answer = observation.answer(host, "AAAA")
        if not answer.is_known:
            yield host, type


@dataclass(frozen=True, slots=True)
class Policy:
    """A DMARC record as receivers read it."""

    p: str
    sp: str
    adkim: str
    aspf: str
    has_reports: bool
    # Tags that are given more than once, unknown values and the like; if not empty,
    # receivers ignore the record.
    problem: str = ""


def is_dmarc(text: str) -> bool:
    """Whether receivers take a TXT record for DMARC: the version comes first."""
    return re.match(r"v\s*=\s*DMARC1\s*(;|$)", text) is not None


def read_policy(record: str, domain: str) -> Policy:
    resolver = cast(dns.resolver.Resolver, Answers())
    try:
        tags = dmarc.parse_dmarc_record(record, domain, resolver=resolver, retries=0)[
            "tags"
        ]
    except dmarc.DMARCError as error:
        return Policy("", "", "", "", has_reports=False, problem=_in_short(error))
    return Policy(
        p=str(tags["p"]["value"]),
        sp=str(tags["sp"]["value"]),
        adkim=str(tags["adkim"]["value"]),
        aspf=str(tags["aspf"]["value"]),
        has_reports="rua" in tags,
    )


def _in_short(error: Exception) -> str:
    return " ".join(str(error).split()).removeprefix("Error: ").rstrip(".")[:200]
