from __future__ import annotations

import csv
import io

import dns.zone
import pytest
from dns.rdtypes.ANY.TXT import TXT
from hypothesis import given, settings
from hypothesis import strategies as st

from purelymanage.domains.dns.health import judge
from purelymanage.domains.dns.snippets import (
    bind_zone,
    comma_separated,
    plain_text,
    quoted,
)
from purelymanage.domains.dns.verdicts import Health
from tests.domains.dns.answers import observe
from tests.domains.dns.cases import CODE, all_cases

CASES = {it.name: it for it in all_cases()}


def health(name: str) -> Health:
    return judge(observe(CASES[name]), ownership_code=CODE)


def read(text: str, origin: str) -> dict[tuple[str, str], list[str]]:
    zone = dns.zone.from_text(text, origin=origin, relativize=False, check_origin=False)
    found: dict[tuple[str, str], list[str]] = {}
    for name, _, rdata in zone.iterate_rdatas():
        key = (name.to_text(omit_final_dot=True), rdata.rdtype.name)
        value = (
            b"".join(rdata.strings).decode()
            if isinstance(rdata, TXT)
            else rdata.to_text()
        )
        found.setdefault(key, []).append(value)
    return found


@pytest.mark.parametrize("name", CASES)
def test_a_name_server_reads_the_zone_file_as_it_is_meant(name: str) -> None:
    judged = health(name)
    found = read(bind_zone(judged), judged.zone)
    for it in judged.to_set:
        value = it.value_to_set
        if it.record.type != "TXT":
            value = f"{value}."
        if it.record.priority is not None:
            value = f"{it.record.priority} {value}"
        assert value in found[it.record.name, it.record.type]
    assert sum(map(len, found.values())) == len(judged.to_set)


def test_names_in_the_zone_file_are_relative_to_the_zone() -> None:
    text = bind_zone(health("subdomain with no policy above"))
    assert "$ORIGIN example.org." in text
    assert "_dmarc.news\t3600\tIN\tCNAME\tdmarcroot.purelymail.com." in text


def test_long_texts_are_split() -> None:
    text = quoted("x" * 600)
    assert [len(it) for it in text.split(" ")] == [257, 257, 92]


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=400))
def test_any_text_survives_the_quotes(text: str) -> None:
    found = read(f"$ORIGIN example.org.\n@ 60 IN TXT {quoted(text)}\n", "example.org")
    assert found["example.org", "TXT"] == [text]


def test_the_table_says_what_to_do() -> None:
    text = comma_separated(health("two SPF records"))
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [(it["Type"], it["Full name"], it["What to do"]) for it in rows] == [
        ("TXT", "example.org", "Set instead of those there are")
    ]


def test_the_letter_holds_all_that_is_needed() -> None:
    text = plain_text(health("nothing but the ownership code"))
    assert "Please set the following records in the DNS zone example.org:" in text
    assert "Priority: 50" in text
    assert "_dmarc (in full: _dmarc.example.org)" in text
    assert text.count("Add: ") == 6


def test_the_letter_says_when_there_is_nothing_to_do() -> None:
    assert "Nothing has to be set." in plain_text(health("all in order"))


def test_the_letter_says_what_is_there_now() -> None:
    text = plain_text(health("MX of another provider"))
    assert "Replace: MX" in text
    assert "Now:      10 mx1.old.example" in text


def test_what_takes_mail_away_comes_last_and_says_so() -> None:
    judged = health("nothing but the ownership code")
    letter, zone = plain_text(judged), bind_zone(judged)
    assert "6. Add: MX" in letter
    assert "Please ask us before you set this one: from then on" in letter
    assert "; last, when the mailboxes are there" in zone.splitlines()[-2]
    assert zone.splitlines()[-1].split("\t")[3] == "MX"
    assert ",MX,50," in comma_separated(judged).splitlines()[-1]
    assert "ask us before" not in plain_text(health("two SPF records"))
