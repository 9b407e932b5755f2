from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from tests.purelymail.sandbox.conftest import Api


def domain(api: Api, name: str) -> dict[str, Any]:
    domains = api.call("listDomains")["domains"]
    (found,) = [it for it in domains if it["name"] == name]
    assert isinstance(found, dict)
    return found


def passes(api: Api, name: str) -> list[str]:
    summary = domain(api, name)["dnsSummary"]
    return [key.removeprefix("passes") for key, good in summary.items() if good]


def test_the_ownership_code_is_the_whole_record(api: Api) -> None:
    code = api.call("getOwnershipCode")["code"]
    assert re.fullmatch(r"purelymail_ownership_proof=[0-9a-f]{128}", code)
    assert api.call("getOwnershipCode")["code"] == code


def test_a_domain_is_added_once_its_ownership_is_visible(api: Api) -> None:
    _, message = api.refusal("addDomain", domainName="unproven.example")
    assert "DNS ownership checks did not pass" in message
    proof = ["@", "TXT", api.call("getOwnershipCode")["code"]]
    api.control("POST", "zones", zone="unproven.example", records=[proof])
    api.call("addDomain", domainName="Unproven.example")
    added = domain(api, "unproven.example")
    assert added["allowAccountReset"] is True
    assert added["symbolicSubaddressing"] is True
    assert passes(api, "unproven.example") == []


def test_a_domain_is_added_only_once(api: Api) -> None:
    api.call("addDomain", domainName="new.example")
    _, message = api.refusal("addDomain", domainName="new.example")
    assert message == "Domain already exists"
    assert api.refusal("addDomain", domainName="no domain")[0] == "invalidDomain"


def test_the_summary_is_stored_until_a_recheck(api: Api) -> None:
    assert passes(api, "example.org") == ["Mx", "Spf", "Dkim", "Dmarc"]
    assert passes(api, "shop.example") == ["Mx", "Dmarc"]
    assert passes(api, "waiting.example") == []
    api.control("POST", "zones", zone="waiting.example", preset="healthy")
    assert passes(api, "waiting.example") == []
    api.call("updateDomainSettings", name="waiting.example", recheckDns=True)
    assert passes(api, "waiting.example") == ["Mx", "Spf", "Dkim", "Dmarc"]


def test_a_policy_of_ones_own_counts_as_no_dmarc(api: Api) -> None:
    records = [["_dmarc", "TXT", "v=DMARC1; p=reject"]]
    api.control("POST", "zones", zone="example.org", records=records)
    api.call("updateDomainSettings", name="example.org", recheckDns=True)
    assert passes(api, "example.org") == []


def test_settings_change_one_at_a_time(api: Api) -> None:
    api.call("updateDomainSettings", name="example.org", allowAccountReset=True)
    changed = domain(api, "example.org")
    assert changed["allowAccountReset"] is True
    assert changed["symbolicSubaddressing"] is True
    # The other calls say domainName, this one does not know it.
    wrong = {"domainName": "example.org", "allowAccountReset": False}
    assert api.refusal("updateDomainSettings", **wrong)[0] == "badRequest"


def test_shared_domains_are_listed_on_request(api: Api) -> None:
    assert len(api.call("listDomains")["domains"]) == 3
    shared = api.call("listDomains", includeShared=True)["domains"]
    assert [it["isShared"] for it in shared] == [False] * 3 + [True] * 5
    fields = {"domainName": "cheapermail.com", "password": "x"}
    api.call("createUser", userName="zoe", **fields)
    assert "zoe@cheapermail.com" in api.call("listUser")["users"]


def test_a_domain_takes_its_users_along(api: Api) -> None:
    api.call("deleteDomain", name="shop.example")
    assert len(api.call("listUser")["users"]) == 28
    rules = api.call("listRoutingRules")["rules"]
    assert "shop.example" not in {it["domainName"] for it in rules}
    assert api.refusal("deleteDomain", name="shop.example")[0] == "noSuchDomain"


def test_the_credit_is_long_and_falls(api: Api) -> None:
    first = api.call("checkAccountCredit")["credit"]
    second = api.call("checkAccountCredit")["credit"]
    assert len(first) > 40
    assert Decimal("18.40") < Decimal(second) < Decimal(first)
    api.control("POST", "account", credit="1.50")
    assert Decimal(api.call("checkAccountCredit")["credit"]) < Decimal("1.50")
