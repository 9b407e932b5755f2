from __future__ import annotations

from tests.domains.dns.cases import Case, Line, bad, codes, zone

WRONG = bad("wrong", "dmarc")


def dmarc(*texts: str, type: str = "TXT") -> list[Line]:
    return zone(*(("_dmarc", type, text) for text in texts), without="dmarc")


CASES = [
    Case("no DMARC", dmarc(), states=bad("missing", "dmarc"), overall="attention"),
    Case("own policy", dmarc("v=DMARC1; p=reject; rua=mailto:dmarc@example.org")),
    Case("own policy, barely", dmarc("v=DMARC1;p=quarantine")),
    Case("policy through another alias", dmarc("policy.old.example", type="CNAME")),
    Case(
        "watching only",
        dmarc("v=DMARC1; p=none; rua=mailto:dmarc@example.org"),
        codes("dmarc-none"),
    ),
    Case(
        "policy that does nothing",
        dmarc("v=DMARC1; p=none"),
        codes("dmarc-none"),
        overall="attention",
    ),
    Case(
        "subdomains exempt",
        dmarc("v=DMARC1; p=reject; sp=none"),
        codes("dmarc-subdomains"),
    ),
    Case(
        "strict alignment",
        dmarc("v=DMARC1; p=reject; adkim=s; aspf=s"),
        codes("dmarc-strict"),
    ),
    Case(
        "two policies",
        dmarc("v=DMARC1; p=none", "v=DMARC1; p=reject"),
        codes("dmarc-several"),
        WRONG,
        "attention",
    ),
    Case(
        "unknown policy",
        dmarc("v=DMARC1; p=bounce"),
        codes("dmarc-faulty"),
        WRONG,
        "attention",
    ),
    Case(
        "tag twice",
        dmarc("v=DMARC1; p=none; p=reject"),
        codes("dmarc-faulty"),
        WRONG,
        "attention",
    ),
    Case(
        "semicolon forgotten",
        dmarc("v=DMARC1 p=none"),
        codes("dmarc-unrelated"),
        WRONG,
        "attention",
    ),
    Case(
        "SPF at _dmarc",
        dmarc("v=spf1 -all"),
        codes("dmarc-unrelated"),
        WRONG,
        "attention",
    ),
    Case(
        "quotation marks in DMARC",
        dmarc(r'"\"v=DMARC1; p=none\""'),
        codes("dmarc-quoted"),
        WRONG,
        "attention",
    ),
    Case(
        "DMARC name entered as text",
        dmarc("dmarcroot.purelymail.com"),
        codes("dmarc-wrong-type"),
        WRONG,
        "attention",
    ),
    Case(
        "outdated DMARC",
        dmarc("_dmarcroot.purelymail.com", type="CNAME"),
        codes("dmarc-outdated"),
        WRONG,
        "attention",
    ),
    Case(
        "dot forgotten at the end of DMARC",
        dmarc("dmarcroot.purelymail.com.example.org", type="CNAME"),
        codes("dmarc-trailing-dot"),
        WRONG,
        "attention",
    ),
    Case(
        "alias to nowhere",
        dmarc("gone.old.example", type="CNAME"),
        states=WRONG,
        overall="attention",
    ),
    Case(
        "DMARC at the domain itself",
        zone(("@", "TXT", "v=DMARC1; p=reject"), without="dmarc"),
        codes("dmarc-misplaced"),
        bad("missing", "dmarc"),
        "attention",
    ),
    Case(
        "DMARC at a doubled name",
        zone(
            ("_dmarc.example.org", "CNAME", "dmarcroot.purelymail.com"), without="dmarc"
        ),
        codes("dmarc-doubled-name"),
        bad("missing", "dmarc"),
        "attention",
    ),
    Case(
        "reports to a place that agreed",
        dmarc("v=DMARC1; p=reject; rua=mailto:a@old.example"),
    ),
    Case(
        "reports to a place that did not",
        dmarc("v=DMARC1; p=reject; rua=mailto:a@unwilling.example"),
        codes("dmarc-reports-refused"),
        overall="attention",
    ),
    Case(
        "reports to a place that cannot be looked up",
        dmarc("v=DMARC1; p=reject; rua=mailto:a@silent.example!10m"),
        codes("dmarc-reports-unknown"),
        more={"silent.example": []},
        faults={"silent.example": "refused"},
    ),
]
