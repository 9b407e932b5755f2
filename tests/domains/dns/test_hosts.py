from __future__ import annotations

import pytest

from purelymanage.domains.dns.expected import Kind, wanted_records
from purelymanage.domains.dns.hosts import HOSTS, SOME_HOST, Host, recognise

SERVERS = {
    "Cloudflare": ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com."],
    "Amazon Route 53": ["ns-1.awsdns-00.com", "ns-1536.awsdns-00.co.uk"],
    "Hetzner": ["hydrogen.ns.hetzner.com", "helium.ns.hetzner.de"],
    "OVHcloud": ["dns104.ovh.net", "ns104.ovh.net"],
    "GoDaddy": ["ns01.domaincontrol.com", "NS02.DOMAINCONTROL.COM"],
    "Namecheap": ["dns1.registrar-servers.com"],
    "IONOS": ["ns1045.ui-dns.com", "ns1099.ui-dns.biz"],
    "Google Cloud DNS": ["ns-cloud-a1.googledomains.com"],
    "Gandi": ["ns-12-a.gandi.net", "ns-200-c.gandi.net"],
    "DigitalOcean": ["ns1.digitalocean.com"],
    "Strato": ["docks08.rzone.de", "shades15.rzone.de"],
    "netcup": ["root-dns.netcup.net", "third-dns.netcup.net"],
    "INWX": ["ns.inwx.de", "ns2.inwx.de"],
    "Porkbun": ["curitiba.ns.porkbun.com", "maceio.porkbun.com"],
    "Squarespace": ["ns01.squarespacedns.com"],
    "Microsoft Azure": ["ns1-01.azure-dns.com", "ns4-01.azure-dns.info"],
    "Vercel": ["ns1.vercel-dns.com"],
    "Netlify": ["dns1.p08.nsone.net"],
    "deSEC": ["ns1.desec.io", "ns2.desec.org"],
}


@pytest.mark.parametrize("name", SERVERS)
def test_it_recognises_who_runs_the_zone(name: str) -> None:
    found = recognise(SERVERS[name])
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    "servers",
    [
        [],
        ["ns1.example.org"],
        ["ada.ns.cloudflare.com", "ns1.example.org"],
        ["ada.ns.cloudflare.com", "ns1.digitalocean.com"],
        ["ns.cloudflare.com.example.org"],
        ["x" * 300],
    ],
)
def test_it_does_not_guess(servers: list[str]) -> None:
    assert recognise(servers) is None


@pytest.mark.parametrize("host", [*HOSTS, SOME_HOST], ids=lambda it: it.name)
def test_it_has_words_for_each(host: Host) -> None:
    assert host.wording.endswith(".")
    assert all(it.endswith(".") for it in host.pitfalls)


def host(name: str) -> Host:
    return next(it for it in HOSTS if it.name == name)


def test_each_form_gets_names_and_values_as_it_wants_them() -> None:
    records = {it.kind: it for it in wanted_records("example.org")}
    mx, spf, key = (records[it] for it in (Kind.MX, Kind.SPF, Kind.DKIM1))
    assert host("Cloudflare").name_for(mx) == "@"
    assert host("Cloudflare").value_for(mx) == "mailserver.purelymail.com"
    assert host("deSEC").name_for(mx) == ""
    assert host("deSEC").name_for(key) == "purelymail1._domainkey"
    assert host("deSEC").value_for(key) == "key1.dkimroot.purelymail.com."
    assert host("deSEC").value_for(spf, "v=spf1 -all") == '"v=spf1 -all"'
    assert host("Amazon Route 53").value_for(mx) == "50 mailserver.purelymail.com"
    assert host("Google Cloud DNS").value_for(mx) == "50 mailserver.purelymail.com."
    assert host("Hetzner").value_for(spf).startswith("v=spf1 ")
