"""Finds out where the mailboxes of a domain are, while somebody waits for it."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Awaitable
from dataclasses import dataclass
from urllib.parse import quote

from django.conf import settings

from purelymanage.domains.dns.looking import Batch, Memory
from purelymanage.domains.dns.names import domain_name, registered_domain
from purelymanage.domains.dns.observations import Answer
from purelymanage.domains.dns.servers import NoResolver, resolvers
from purelymanage.imap.account import Security
from purelymanage.imap.errors import ImapError
from purelymanage.imap.opening import tls_context
from purelymanage.migrations.discovery import autoconfig
from purelymanage.migrations.discovery.autoconfig import Unreadable
from purelymanage.migrations.discovery.https import Fetcher, NotFetched
from purelymanage.migrations.presets import (
    Preset,
    by_domain,
    by_host,
    by_receiver,
)

TIME_LIMIT = 8.0
PURELYMAIL = "purelymail.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Settings that somebody named, and who."""

    host: str
    port: int = 993
    security: Security = Security.TLS
    named_by: str
    user: str = ""
    takes_passwords: bool = True
    is_guess: bool = False

    @property
    def preset(self) -> Preset | None:
        return by_host(self.host)


@dataclass(frozen=True, slots=True)
class Asked:
    """Who was asked, and what came of it."""

    where: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    domain: str
    # The most trustworthy first.
    found: tuple[Found, ...] = ()
    asked: tuple[Asked, ...] = ()
    # The domain's mail or its settings lead to PurelyMail already.
    has_moved: bool = False

    @property
    def best(self) -> Found | None:
        return self.found[0] if self.found else None


def discover(text: str, *, time_limit: float = TIME_LIMIT) -> Discovery:
    """Look for the IMAP server of an address or a domain.

    Raise BadName if it is neither. Everybody is asked at once, and who has not
    answered in time is left out.
    """
    domain = domain_name(text)
    address = text.strip() if text.count("@") == 1 else ""
    if preset := by_domain(domain):
        found = _of_preset(preset, preset.host, f"{preset.name}, as the address says")
        return Discovery(domain=domain, found=(found,))
    try:
        return asyncio.run(_Search(domain, address, time_limit).go())
    except NoResolver as exc:
        return Discovery(domain=domain, asked=(Asked("The DNS", str(exc)),))


class _Search:
    def __init__(self, domain: str, address: str, time_limit: float) -> None:
        self._domain = domain
        self._address = address
        self._time_limit = time_limit
        self._dns = Batch(resolvers(), kept=Memory())
        self._asked: list[Asked] = []
        # By trust: the domain itself, the list of others, then whoever gets its mail.
        self._ranked: list[tuple[int, Found]] = []
        self._has_moved = False

    async def go(self) -> Discovery:
        self._deadline = asyncio.get_running_loop().time() + self._time_limit
        self._fetcher = self._new_fetcher()
        await asyncio.gather(*self._about(self._domain, 0), self._receivers())
        found: dict[tuple[str, int], Found] = {}
        for _, it in sorted(self._ranked, key=lambda ranked: ranked[0]):
            if _is_below(it.host, PURELYMAIL):
                self._has_moved = True
            else:
                found.setdefault((it.host, it.port), it)
        if any(not it.is_guess for it in found.values()):
            found = {where: it for where, it in found.items() if not it.is_guess}
        return Discovery(
            domain=self._domain,
            found=tuple(found.values()),
            asked=tuple(self._asked),
            has_moved=self._has_moved,
        )

    def _about(self, domain: str, rank: int) -> list[Awaitable[None]]:
        parts: list[Awaitable[None]] = [
            self._in_time(
                f"https://autoconfig.{domain}",
                self._published(domain, "autoconfig", rank),
            ),
            self._in_time(
                f"https://{domain}", self._published(domain, "well-known", rank)
            ),
            self._in_time(
                f"DNS, services of {domain}", self._services(domain, rank + 2)
            ),
        ]
        if settings.ISPDB_URL:
            parts.append(
                self._in_time(
                    f"Thunderbird's list, for {domain}", self._listed(domain, rank + 1)
                )
            )
        return parts

    async def _in_time(self, where: str, coming: Awaitable[str]) -> None:
        """Wait for one of those who are asked, and note what came of it."""
        try:
            async with asyncio.timeout_at(self._deadline):
                answer = await coming
        except TimeoutError:
            answer = "no answer in time"
        except NotFetched as exc:
            answer = str(exc)
        except Unreadable as exc:
            answer = f"holds {exc}"
        self._asked.append(Asked(where, answer))

    # Files for mail programs

    def _new_fetcher(self) -> Fetcher | None:
        try:
            context = tls_context(
                Security.TLS, verify=True, ca_file=settings.IMAP_CA_FILE
            )
        except ImapError:
            return None
        assert context is not None
        return Fetcher(
            self._addresses,
            context,
            reaches_private=settings.DISCOVERY_REACHES_PRIVATE_NETWORKS,
        )

    async def _addresses(self, host: str) -> list[str]:
        answers = await asyncio.gather(
            self._dns.answer_one(host, "A"), self._dns.answer_one(host, "AAAA")
        )
        if not any(it.is_known for it in answers):
            raise NotFetched("could not be looked up")
        return [it for answer in answers for it in answer.records]

    async def _published(self, domain: str, kind: str, rank: int) -> str:
        if kind == "autoconfig":
            url = f"https://autoconfig.{domain}/mail/config-v1.1.xml"
        else:
            url = f"https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml"
        if self._address:
            url += f"?emailaddress={quote(self._address)}"
        return await self._fetch(url, f"{domain} itself", rank)

    async def _listed(self, domain: str, rank: int) -> str:
        url = f"{settings.ISPDB_URL.rstrip('/')}/{quote(domain)}"
        return await self._fetch(url, "Thunderbird's list of providers", rank)

    async def _fetch(self, url: str, named_by: str, rank: int) -> str:
        if self._fetcher is None:
            raise NotFetched("not asked, as IMAP_CA_FILE cannot be read")
        content = await self._fetcher.fetch(url)
        published = autoconfig.read(content, address=self._address, domain=self._domain)
        for it in published:
            self._take(
                rank,
                Found(
                    host=it.host,
                    port=it.port,
                    security=it.security,
                    user=it.user,
                    takes_passwords=it.takes_passwords,
                    named_by=named_by,
                ),
            )
        return _names([it.host for it in published])

    # What the DNS says

    async def _services(self, domain: str, rank: int) -> str:
        encrypted, plain = await asyncio.gather(
            self._dns.answer_one(f"_imaps._tcp.{domain}", "SRV"),
            self._dns.answer_one(f"_imap._tcp.{domain}", "SRV"),
        )
        if not (encrypted.is_known or plain.is_known):
            return _in_vain(encrypted)
        targets = []
        for answer, security in (
            (encrypted, Security.TLS),
            (plain, Security.STARTTLS),
        ):
            for host, port in _in_order(answer):
                targets.append(host)
                self._take(
                    rank,
                    Found(
                        host=host,
                        port=port,
                        security=security,
                        named_by=f"the DNS of {domain}",
                    ),
                )
        return _names(targets)

    async def _receivers(self) -> None:
        where = f"DNS, receivers of mail for {self._domain}"
        await self._in_time(where, self._look_at_receivers())

    async def _look_at_receivers(self) -> str:
        answer = await self._dns.answer_one(self._domain, "MX")
        if not answer.is_found:
            return "nothing there" if answer.is_absent else _in_vain(answer)
        hosts = _mail_hosts(answer)
        if any(_is_below(host, PURELYMAIL) for host in hosts):
            self._has_moved = True
            return "PurelyMail"
        if not hosts:
            return "the domain takes no mail"
        named_by = f"{hosts[0]}, which receives the mail of {self._domain}"
        if known := by_receiver(hosts[0]):
            preset, host = known
            if host:
                self._take(3, _of_preset(preset, host, named_by))
            return preset.name
        provider = registered_domain(hosts[0])
        if provider != self._domain:
            await asyncio.gather(*self._about(provider, 4))
        guess = Found(host=hosts[0], named_by=f"a guess: {named_by}", is_guess=True)
        self._take(9, guess)
        return _names(hosts)

    def _take(self, rank: int, found: Found) -> None:
        self._ranked.append((rank, found))


def _of_preset(preset: Preset, host: str, named_by: str) -> Found:
    return Found(
        host=host,
        port=preset.port,
        security=preset.security,
        named_by=named_by,
        takes_passwords=preset.takes_passwords,
    )


def _in_order(answer: Answer) -> list[tuple[str, int]]:
    """Return targets and ports of SRV records as RFC 6186 wants them tried."""
    found = []
    for record in answer.records:
        priority, weight, port, host = record.split()
        # A dot says that there is no such service; an address has no certificate.
        if host != "." and int(port) and not _is_address(host):
            found.append((int(priority), -int(weight), host, int(port)))
    return [(host, port) for _, _, host, port in sorted(found)]


def _mail_hosts(answer: Answer) -> list[str]:
    """Return the hosts of MX records, those preferred first, without a null MX."""
    pairs = [record.split() for record in answer.records]
    ordered = sorted((int(preference), host) for preference, host in pairs)
    return [host for _, host in ordered if host != "."]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_below(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")


def _names(hosts: list[str]) -> str:
    return ", ".join(dict.fromkeys(hosts)) or "no IMAP server"


def _in_vain(answer: Answer) -> str:
    return f"not found out: the name servers {answer.failure}"
