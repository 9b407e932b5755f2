"""The companies that run the DNS of domains, and how their forms want records.

Forms change: this is a help for whoever stands in front of one, and nothing is judged
by it. Of some companies no more than the name is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from purelymanage.domains.dns.expected import Record
from purelymanage.domains.dns.observations import normal


class NameForm(StrEnum):
    """How a form wants the name of a record."""

    AT = "@"  # relative, @ for the domain itself
    EMPTY = "empty"  # relative, nothing for the domain itself
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Host:
    """A company that runs DNS zones, recognised by its name servers."""

    name: str
    # Matches the whole name of a name server.
    servers: str
    form: NameForm = NameForm.UNKNOWN
    # What the form calls the field of the name, and of the value.
    name_field: str = "Name"
    value_field: str = "Value"
    # Without a dot at its end, the zone is added to a host name in the value.
    wants_dot: bool = False
    # Texts have to be entered in quotation marks.
    wants_quotes: bool = False
    # Priority and host of an MX record share one field.
    joins_priority: bool = False
    pitfalls: tuple[str, ...] = ()

    def name_for(self, record: Record) -> str:
        """Return what to type as the name; empty if the field stays empty."""
        if self.form is NameForm.EMPTY and record.relative_name == "@":
            return ""
        return record.relative_name

    def value_for(self, record: Record, value: str = "") -> str:
        """Return what to type as the value."""
        value = value or record.value
        if record.type == "TXT":
            return f'"{value}"' if self.wants_quotes else value
        if self.joins_priority and record.priority is not None:
            value = f"{record.priority} {value}"
        return f"{value}." if self.wants_dot else value

    @property
    def wording(self) -> str:
        """Return the sentence about the field of the name."""
        if self.form is NameForm.AT:
            return (
                f"In the field “{self.name_field}”, write @ for the domain itself, and"
                " only the part before the domain for everything else."
            )
        if self.form is NameForm.EMPTY:
            return (
                f"Leave the field “{self.name_field}” empty for the domain itself, and"
                " write only the part before the domain for everything else."
            )
        return (
            "Most forms want only the part before the domain, and @ or nothing for the"
            " domain itself. Look afterwards whether the domain was added twice."
        )


DOT = ("Host names in values need a dot at the end, or the domain is added to them.",)
HOSTS = (
    Host(
        "Cloudflare",
        r".+\.ns\.cloudflare\.com|.+\.foundationdns\.(com|net|org)",
        NameForm.AT,
        value_field="Content or target",
        pitfalls=(
            "Switch the proxy off for every record here: the cloud must be grey,"
            " “DNS only”.",
            "Switch Email Routing off first; it locks the MX and TXT records.",
        ),
    ),
    Host(
        "Amazon Route 53",
        r"ns-\d+\.awsdns-\d+\.(com|net|org|co\.uk)",
        NameForm.EMPTY,
        name_field="Record name",
        wants_quotes=True,
        joins_priority=True,
        pitfalls=(
            "All texts of a name are one record with several lines: add to it instead"
            " of creating a second one.",
        ),
    ),
    Host(
        "Hetzner",
        r"(hydrogen|oxygen|helium)\.ns\.hetzner\.(com|de)"
        r"|(ns1\.first-ns|robotns2\.second-ns)\.de|robotns3\.second-ns\.com"
        r"|ns\d?\.your-server\.de|ns\.second-ns\.(com|de)|ns3\.second-ns\.de",
        NameForm.AT,
        wants_dot=True,
        pitfalls=DOT,
    ),
    Host(
        "OVHcloud",
        r"(dns|ns)\d*\.ovh\.(net|ca)|(dns|ns)\d+\.anycast\.me",
        NameForm.EMPTY,
        name_field="Sub-domain",
        value_field="Target",
        wants_dot=True,
        pitfalls=DOT,
    ),
    Host("GoDaddy", r".+\.domaincontrol\.com", NameForm.AT),
    Host(
        "Namecheap",
        r"dns\d\.registrar-servers\.com|freedns\d\.registrar-servers\.com",
        NameForm.AT,
        name_field="Host",
        pitfalls=("MX records are set under “Mail Settings” with “Custom MX”.",),
    ),
    Host("Namecheap hosting", r".+\.namecheaphosting\.com"),
    Host("IONOS", r"ns\d+\.ui-dns\.(com|org|biz|de)", NameForm.AT, "Host name"),
    Host(
        "Google Cloud DNS",
        r"ns-cloud-[a-z]\d\.googledomains\.com",
        NameForm.EMPTY,
        name_field="DNS name",
        value_field="Data",
        wants_dot=True,
        wants_quotes=True,
        joins_priority=True,
        pitfalls=(
            *DOT,
            "All texts of a name are one record set with several items.",
        ),
    ),
    Host(
        "Gandi",
        r"ns-\d+-[a-c]\.gandi\.net|[a-c]\.dns\.gandi\.net",
        NameForm.AT,
        wants_dot=True,
        pitfalls=DOT,
    ),
    Host(
        "DigitalOcean",
        r"ns\d\.digitalocean\.com",
        NameForm.AT,
        name_field="Hostname",
        wants_dot=True,
        pitfalls=DOT,
    ),
    Host(
        "Strato",
        r"(docks|shades)\d+\.rzone\.de",
        NameForm.EMPTY,
        name_field="Präfix",
        value_field="Wert",
        wants_dot=True,
        pitfalls=(
            "A CNAME can only be set for a subdomain that was created before.",
            *DOT,
        ),
    ),
    Host(
        "netcup",
        r"(root|second|third)-dns\.netcup\.net",
        NameForm.AT,
        name_field="Host",
        value_field="Destination",
    ),
    Host("INWX", r"ns\d?\.inwx\.(de|com|eu|net)|ns\d\.domrobot\.com"),
    Host(
        "Porkbun",
        r".+\.ns\.porkbun\.com|.+\.porkbun\.com",
        NameForm.EMPTY,
        name_field="Host",
        value_field="Answer",
        pitfalls=(
            "A wildcard to pixie.porkbun.com is there from the start; delete it, or"
            " missing records look like wrong ones.",
        ),
    ),
    Host("Squarespace", r"ns\d+\.squarespacedns\.com", NameForm.AT, "Host", "Data"),
    Host(
        "Microsoft Azure",
        r"ns\d-\d+\.azure-dns\.(com|net|org|info)",
        NameForm.AT,
        pitfalls=(
            "All texts of a name are one record set: add to it instead of creating a"
            " second one.",
        ),
    ),
    Host("Vercel", r"ns\d\.vercel-dns\.com"),
    Host("Netlify", r"dns\d\.p\d+\.nsone\.net"),
    Host(
        "deSEC",
        r"ns\d\.desec\.(io|org)",
        NameForm.EMPTY,
        name_field="Subname",
        value_field="Content",
        wants_dot=True,
        wants_quotes=True,
        pitfalls=DOT,
    ),
    Host("Akamai (Linode)", r"ns\d\.linode\.com"),
    Host("DNSimple", r"ns\d\.dnsimple(-edge)?\.(com|net|org|io)"),
    Host("Hostinger", r"ns\d\.dns-parking\.com"),
    Host("Infomaniak", r"ns(any)?\d+\.infomaniak\.com"),
    Host("ALL-INKL", r"ns\d+\.kasserver\.com"),
    Host("Hover", r"ns\d\.hover\.com"),
    Host("DreamHost", r"ns\d\.dreamhost\.com"),
    Host("Name.com", r"ns\d[a-z]{3}\.name\.com"),
    Host("Wix", r"ns\d+\.wixdns\.net"),
    Host("Hurricane Electric", r"ns\d\.he\.net"),
    Host("Vultr", r"ns\d\.vultr\.com"),
    Host("bunny.net", r"(kiki|coco)\.bunny\.net"),
)
# For a DNS host that is not among them.
SOME_HOST = Host("your DNS host", "")


def recognise(name_servers: Iterable[str]) -> Host | None:
    """Return who runs the zone; nobody if the name servers disagree about it."""
    found = {_host_of(normal(it)) for it in name_servers}
    return found.pop() if len(found) == 1 else None


def _host_of(server: str) -> Host | None:
    return next((it for it in HOSTS if re.fullmatch(it.servers, server)), None)
