from __future__ import annotations

from tests.domains.dns.cases import NS, Case, Line, bad, codes, zone

WRONG = bad("wrong", "spf")
OURS = "include:_spf.purelymail.com"


def spf(*texts: str) -> list[Line]:
    return zone(*(("@", "TXT", text) for text in texts), without="spf")


CASES = [
    Case("no SPF", spf(), states=bad("missing", "spf"), overall="broken"),
    Case("hard ending", spf(f"v=spf1 {OURS} -all")),
    Case("capitals in SPF", spf("V=SPF1 Include:_SPF.PurelyMail.com ~ALL")),
    Case("with another sender", spf(f"v=spf1 include:_spf.old.example {OURS} ~all")),
    Case(
        "SPF of another provider",
        spf("v=spf1 include:_spf.old.example ~all"),
        states=WRONG,
        overall="broken",
    ),
    Case(
        "two SPF records",
        spf(f"v=spf1 {OURS} ~all", "v=spf1 include:_spf.old.example -all"),
        codes("spf-several"),
        WRONG,
        "broken",
    ),
    Case(
        "ours named behind all",
        spf(f"v=spf1 mx ~all {OURS}"),
        states=WRONG,
        overall="broken",
    ),
    Case("ours forbidden", spf(f"v=spf1 -{OURS} ~all"), states=WRONG, overall="broken"),
    Case(
        "ours named as a host",
        spf("v=spf1 a:_spf.purelymail.com ~all"),
        states=WRONG,
        overall="broken",
    ),
    Case(
        "everybody may send",
        spf(f"v=spf1 {OURS} +all"),
        codes("spf-allows-all"),
        overall="attention",
    ),
    Case(
        "everybody may send, unsigned",
        spf(f"v=spf1 {OURS} all"),
        codes("spf-allows-all"),
        overall="attention",
    ),
    Case(
        "neutral ending",
        spf(f"v=spf1 {OURS} ?all"),
        codes("spf-neutral-all"),
        overall="attention",
    ),
    Case("no ending", spf(f"v=spf1 {OURS}"), codes("spf-no-all"), overall="attention"),
    Case(
        "ptr",
        spf(f"v=spf1 ptr:old.example {OURS} ~all"),
        codes("spf-ptr"),
        overall="attention",
    ),
    Case(
        "eleven look-ups",
        spf(f"v=spf1 {OURS} include:wide.old.example mx ~all"),
        codes("spf-lookups"),
        WRONG,
        "broken",
    ),
    Case(
        "ten look-ups minus one",
        spf(
            f"v=spf1 {OURS} mx "
            + " ".join(f"a:w{n}.old.example" for n in range(7))
            + " ~all"
        ),
    ),
    Case(
        "includes deeper than anybody follows",
        spf(f"v=spf1 {OURS} include:deep0.old.example ~all"),
        codes("spf-lookups"),
        WRONG,
        "broken",
    ),
    Case(
        "three names that do not exist",
        spf(f"v=spf1 {OURS} a:x1.old.example a:x2.old.example a:x3.old.example ~all"),
        codes("spf-voids"),
        WRONG,
        "broken",
    ),
    Case(
        "two names that do not exist",
        spf(f"v=spf1 {OURS} a:x1.old.example a:x2.old.example ~all"),
    ),
    Case(
        "include that does not exist",
        spf(f"v=spf1 {OURS} include:none.old.example ~all"),
        codes("spf-include"),
        WRONG,
        "broken",
    ),
    Case(
        "include with two records",
        spf(f"v=spf1 {OURS} include:several.old.example ~all"),
        codes("spf-include"),
        WRONG,
        "broken",
    ),
    Case(
        "include that cannot be looked up",
        spf(f"v=spf1 {OURS} include:_spf.silent.example ~all"),
        codes("spf-unknown"),
        more={"silent.example": []},
        faults={"silent.example": "servfail"},
    ),
    Case(
        "only an include that cannot be looked up",
        spf("v=spf1 include:_spf.silent.example ~all"),
        codes("spf-unknown"),
        bad("cannot tell", "spf"),
        "cannot tell",
        more={"silent.example": []},
        faults={"silent.example": "refused"},
    ),
    Case(
        "PurelyMail's own record gone",
        zone(),
        codes("spf-purelymail-absent"),
        more={"purelymail.com": [NS]},
    ),
    Case(
        "PurelyMail's own record cannot be looked up",
        zone(),
        codes("spf-unknown"),
        faults={"purelymail.com": "servfail"},
    ),
    Case(
        "include of itself",
        spf(f"v=spf1 {OURS} include:example.org ~all"),
        codes("spf-loop"),
        WRONG,
        "broken",
    ),
    Case(
        "include that goes in a circle",
        spf(f"v=spf1 {OURS} include:to.old.example ~all"),
        codes("spf-loop"),
        WRONG,
        "broken",
    ),
    Case(
        "redirect to itself",
        spf(f"v=spf1 {OURS} redirect=example.org"),
        codes("spf-loop"),
        WRONG,
        "broken",
    ),
    Case("through another record", spf("v=spf1 include:passes-on.old.example ~all")),
    Case("through a redirect", spf("v=spf1 redirect=passes-on.old.example")),
    Case(
        "redirect beside all",
        spf("v=spf1 redirect=passes-on.old.example ~all"),
        states=WRONG,
        overall="broken",
    ),
    Case(
        "word nobody understands",
        spf(f"v=spf1 {OURS} ipv4:192.0.2.1 ~all"),
        codes("spf-syntax"),
        WRONG,
        "broken",
    ),
    Case(
        "bad address",
        spf(f"v=spf1 {OURS} ip4:192.0.2.300 ~all"),
        codes("spf-syntax"),
        WRONG,
        "broken",
    ),
    Case(
        "space forgotten before all",
        spf("v=spf1 include:_spf.purelymail.com~all"),
        codes("spf-syntax"),
        WRONG,
        "broken",
    ),
    Case(
        "quotation marks in SPF",
        spf(r'"\"v=spf1 include:_spf.purelymail.com ~all\""'),
        codes("spf-quoted"),
        WRONG,
        "broken",
    ),
    Case(
        "version misspelt",
        spf(f"v=spf 1 {OURS} ~all"),
        codes("spf-almost"),
        WRONG,
        "broken",
    ),
    Case(
        "old Sender ID beside SPF",
        spf(f"v=spf1 {OURS} ~all", "spf2.0/pra include:_spf.old.example ~all"),
    ),
    Case(
        "long SPF in several strings",
        spf(
            '"v=spf1 include:_spf.purelymail.com '
            + " ".join(f"ip4:192.0.2.{n}" for n in range(10))
            + ' " "'
            + " ".join(f"ip4:198.51.100.{n}" for n in range(10))
            + ' ~all"'
        ),
    ),
    Case(
        "very long SPF",
        spf(
            f"v=spf1 {OURS} "
            + " ".join(f"ip4:198.51.100.{n}" for n in range(30))
            + " ~all"
        ),
        codes("spf-long"),
    ),
    Case("macro", spf(f"v=spf1 {OURS} exists:%{{i}}._spf.old.example ~all")),
    Case("explanation", spf(f"v=spf1 {OURS} ~all exp=explain.old.example")),
]
