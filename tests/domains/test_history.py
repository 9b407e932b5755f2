from __future__ import annotations

from purelymanage.domains.dns.observations import (
    Answer,
    Failure,
    Observation,
    Outcome,
)
from purelymanage.domains.history import Difference, differences, known_records

FAILED = Answer(Outcome.FAILED, failure=Failure.SERVFAIL)
NOTHING = Answer(Outcome.NO_DATA)


def found(*records: str) -> Answer:
    return Answer(Outcome.FOUND, records)


def seen(**answers: Answer) -> Observation:
    names = {"mx": ("d.example", "MX"), "txt": ("d.example", "TXT")}
    return Observation("d.example", {names[it]: them for it, them in answers.items()})


def test_a_change_names_both_sides() -> None:
    before = known_records(seen(mx=found("10 mx.old.example")))
    after = known_records(seen(mx=found("50 mailserver.purelymail.com")))
    (difference,) = differences(before, after)
    assert difference.sentence == (
        "MX changed: 10 mx.old.example → 50 mailserver.purelymail.com"
    )


def test_another_order_is_no_change() -> None:
    before = known_records(seen(mx=found("10 b.example", "5 a.example")))
    after = known_records(seen(mx=found("5 a.example", "10 b.example")))
    assert differences(before, after) == []
    before = known_records(seen(txt=found("v=spf1 -all", "v=spf1 a -all")))
    after = known_records(seen(txt=found("v=spf1 a -all", "v=spf1 -all")))
    assert differences(before, after) == []


def test_what_cannot_be_looked_up_is_not_gone() -> None:
    before = known_records(seen(mx=found("10 a.example"), txt=found("v=spf1 -all")))
    assert differences(before, known_records(seen(mx=FAILED, txt=FAILED))) == []
    assert [
        it.sentence for it in differences(before, known_records(seen(mx=NOTHING)))
    ] == ["MX removed, which was 10 a.example"]


def test_texts_of_others_are_not_watched() -> None:
    before = known_records(seen(txt=found("v=spf1 -all", "verification=1")))
    after = known_records(seen(txt=found("v=spf1 -all", "verification=2")))
    assert differences(before, after) == []


def test_the_first_look_is_no_change() -> None:
    assert differences({}, known_records(seen(mx=found("10 a.example")))) == []


def test_a_long_list_is_cut() -> None:
    many = [f"{n} mx{n}.example" for n in range(20)]
    assert Difference("MX", [], many).sentence.endswith("and 14 more")
    assert len(Difference("SPF", [], ["x" * 5_000]).sentence) < 400
