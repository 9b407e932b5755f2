from __future__ import annotations

from tests.domains.dns.cases import Case, bad, codes, zone

WRONG = bad("wrong", "mx")
CASES = [
    Case("all in order", zone()),
    Case(
        "another priority",
        zone(("@", "MX", "10 mailserver.purelymail.com"), without="mx"),
    ),
    Case(
        "capitals in the MX",
        zone(("@", "MX", "50 MailServer.PurelyMail.com"), without="mx"),
    ),
    Case("no MX", zone(without="mx"), states=bad("missing", "mx"), overall="broken"),
    Case(
        "MX of another provider",
        zone(("@", "MX", "10 mx1.old.example"), without="mx"),
        states=WRONG,
        overall="broken",
    ),
    Case(
        "MX of another provider preferred to ours",
        zone(("@", "MX", "10 mx1.old.example")),
        codes("foreign-mx"),
        WRONG,
        "broken",
    ),
    Case(
        "MX of another provider as a backup",
        zone(("@", "MX", "90 mx2.old.example")),
        codes("foreign-mx"),
        WRONG,
        "broken",
    ),
    Case(
        "MX of another provider on a par",
        zone(("@", "MX", "50 mx1.old.example")),
        codes("foreign-mx"),
        WRONG,
        "broken",
    ),
    Case(
        "MX to an alias",
        zone(("@", "MX", "60 alias.old.example")),
        codes("foreign-mx", "mx-to-alias"),
        WRONG,
        "broken",
    ),
    Case(
        "MX without an address",
        zone(("@", "MX", "60 gone.old.example")),
        codes("foreign-mx", "mx-without-address"),
        WRONG,
        "broken",
    ),
    Case(
        "MX that is an address",
        zone(("@", "MX", "10 192.0.2.7"), without="mx"),
        codes("mx-is-address"),
        WRONG,
        "broken",
    ),
    Case(
        "MX in a zone that cannot be looked up",
        zone(("@", "MX", "60 mx1.silent.example")),
        codes("foreign-mx", "mx-host-unknown"),
        WRONG,
        "broken",
        more={"silent.example": []},
        faults={"silent.example": "servfail"},
    ),
    Case(
        "null MX",
        zone(("@", "MX", "0 ."), without="mx"),
        codes("null-mx"),
        WRONG,
        "broken",
    ),
    Case(
        "null MX beside ours",
        zone(("@", "MX", "0 .")),
        codes("null-mx"),
        WRONG,
        "broken",
    ),
    Case(
        "dot forgotten at the end of the MX",
        zone(("@", "MX", "50 mailserver.purelymail.com.example.org"), without="mx"),
        codes("mx-trailing-dot"),
        WRONG,
        "broken",
    ),
    Case(
        "slip in the MX",
        zone(("@", "MX", "50 mailserver.purleymail.com"), without="mx"),
        codes("mx-typo"),
        WRONG,
        "broken",
    ),
    Case(
        "invented host of PurelyMail",
        zone(("@", "MX", "50 mx.purelymail.com"), without="mx"),
        codes("mx-typo"),
        WRONG,
        "broken",
    ),
    Case(
        "slip beside ours",
        zone(("@", "MX", "60 mail.purelymail.com")),
        codes("mx-typo"),
        WRONG,
        "broken",
    ),
    Case(
        "MX at a doubled name",
        zone(
            ("example.org", "MX", "50 mailserver.purelymail.com"),
            without="mx",
        ),
        codes("mx-doubled-name"),
        bad("missing", "mx"),
        "broken",
    ),
    Case(
        "Cloudflare Email Routing",
        zone(
            ("@", "MX", "10 route1.mx.cloudflare.net"),
            ("@", "MX", "20 route2.mx.cloudflare.net"),
            without="mx",
        ),
        codes("cloudflare-routing"),
        WRONG,
        "broken",
        more={
            "cloudflare.net": [
                ("route1.mx", "A", "192.0.2.71"),
                ("route2.mx", "A", "192.0.2.72"),
            ]
        },
    ),
    Case(
        "long TTL",
        zone(("@", "MX", "50 mailserver.purelymail.com", 86_400), without="mx"),
    ),
]
