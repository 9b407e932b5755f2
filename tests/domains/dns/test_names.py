from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purelymanage.domains.dns.names import (
    BadName,
    domain_name,
    is_public_suffix,
    registered_domain,
    unicode_name,
)

PASTED = {
    "example.org": "example.org",
    "  Example.ORG.  ": "example.org",
    "example.org..": "example.org",
    "https://www.example.org/path?query#part": "example.org",
    "HTTPS://WWW.Example.org": "example.org",
    "https://www.org/": "www.org",
    "www.example.org": "www.example.org",
    "http://somebody:secret@example.org:8443/": "example.org",
    "//example.org": "example.org",
    "example.org/contact": "example.org",
    "example.org:25": "example.org",
    "mailto:info@example.org": "example.org",
    "Info <info@example.org>": "example.org",
    "info@example.org": "example.org",
    "@example.org": "example.org",
    "*.example.org": "example.org",
    "“example.org”,": "example.org",
    '"example.org",': "example.org",
    "example\u200b.org": "example.org",
    "bücher.example": "xn--bcher-kva.example",
    "BÜCHER.example": "xn--bcher-kva.example",
    "bu\u0308cher.example": "xn--bcher-kva.example",
    "xn--bcher-kva.example": "xn--bcher-kva.example",
    "XN--BCHER-KVA.EXAMPLE": "xn--bcher-kva.example",
    "例え。テスト": "xn--r8jz45g.xn--zckzah",
    "faß.de": "xn--fa-hia.de",
    "mail.example.co.uk": "mail.example.co.uk",
    "1und1.de": "1und1.de",
    "a" * 63 + ".org": "a" * 63 + ".org",
}
REFUSED = {
    "": "Write the name of a domain",
    "   ": "Write the name of a domain",
    "https://": "Write the name of a domain",
    ".": "Write the name of a domain",
    "192.0.2.1": "IP address",
    "http://192.0.2.1/": "IP address",
    "2001:db8::1": "IP address",
    "[2001:db8::1]": "IP address",
    "info@[192.0.2.1]": "IP address",
    "localhost": "lacks its ending",
    "com": "lacks its ending",
    "co.uk": "others register their domains",
    "com.br": "others register their domains",
    "_dmarc.example.org": "underscore",
    "my_shop.example.org": "underscore",
    "exa mple.org": "space",
    "example.org example.net": "space",
    "exam..ple.org": "a dot too many",
    ".example.org": "a dot too many",
    "-example.org": "hyphen",
    "example-.org": "hyphen",
    "exam!ple.org": "letters, digits and hyphens",
    "example.org!": "letters, digits and hyphens",
    "a" * 64 + ".org": "63 characters",
    "ü" * 64 + ".org": "63 characters",
    ".".join(["a" * 60] * 5): "253 characters",
    "example.123": "No domain ends with",
    "xn--a.org": "characters that domains cannot have",
    "☃.org": "characters that domains cannot have",
}


@pytest.mark.parametrize("pasted", PASTED)
def test_it_finds_the_domain_that_is_meant(pasted: str) -> None:
    assert domain_name(pasted) == PASTED[pasted]


@pytest.mark.parametrize("pasted", REFUSED)
def test_it_refuses_what_is_no_domain_with_a_sentence(pasted: str) -> None:
    with pytest.raises(BadName, match=REFUSED[pasted]):
        domain_name(pasted)


@settings(deadline=None)
@given(st.text(max_size=300))
def test_no_text_is_too_much_for_it(text: str) -> None:
    try:
        name = domain_name(text)
    except BadName as refusal:
        assert str(refusal).endswith(".")
    else:
        assert domain_name(name) == name


@settings(deadline=None)
@given(st.text(max_size=100))
def test_showing_a_name_never_fails(text: str) -> None:
    unicode_name(text)
    registered_domain(text)
    is_public_suffix(text)


def test_it_shows_international_names_as_people_read_them() -> None:
    assert unicode_name("xn--bcher-kva.example") == "bücher.example"
    assert unicode_name("xn--99999999.example") == "xn--99999999.example"


def test_it_knows_what_was_registered() -> None:
    assert registered_domain("a.mail.example.co.uk") == "example.co.uk"
    assert registered_domain("example.org") == "example.org"
