from __future__ import annotations

from typing import Any

from tests.purelymail.sandbox.conftest import Api


def rule(match_user: str, **fields: Any) -> dict[str, Any]:
    return {
        "domainName": "waiting.example",
        "matchUser": match_user,
        "prefix": False,
        "targetAddresses": ["ulla@waiting.example"],
        "catchall": False,
    } | fields


def test_a_new_rule_appears_in_the_list_with_an_id(api: Api) -> None:
    before = api.call("listRoutingRules")["rules"]
    new = rule("hello")
    assert api.call("createRoutingRule", **new) == {}
    after = api.call("listRoutingRules")["rules"]
    (added,) = [it for it in after if it not in before]
    assert added == new | {"id": added["id"]}
    # A float would not hold it.
    assert 2**53 < added["id"] < 2**63


def test_an_exact_duplicate_is_accepted_silently(api: Api) -> None:
    targets = ["a@else.example", "b@else.example"]
    api.call("createRoutingRule", **rule("hello", targetAddresses=targets))
    again = rule("hello", targetAddresses=targets[::-1])
    assert api.call("createRoutingRule", **again) == {}
    assert len(api.call("listRoutingRules")["rules"]) == 13


def test_the_same_match_with_other_targets_is_refused(api: Api) -> None:
    api.call("createRoutingRule", **rule("hello"))
    other = rule("HELLO", targetAddresses=["b@else.example"])
    assert api.refusal("createRoutingRule", **other) == (
        "ruleAlreadyExists",
        "Routing rule conflicts with an existing rule",
    )
    api.call("createRoutingRule", **other | {"prefix": True})


def test_any_address_and_catch_all_exclude_each_other(api: Api) -> None:
    catch_all = rule("", prefix=True, catchall=True)
    assert api.refusal("createRoutingRule", **catch_all)[0] == "ruleAlreadyExists"


def test_nonsense_is_accepted_as_the_vendor_does(api: Api) -> None:
    api.call("createRoutingRule", **rule("a@b", targetAddresses=[]))
    assert len(api.call("listRoutingRules")["rules"]) == 13


def test_rules_need_a_domain_of_the_account(api: Api) -> None:
    elsewhere = rule("hello", domainName="else.example")
    assert api.refusal("createRoutingRule", **elsewhere)[0] == "noSuchDomain"


def test_a_rule_is_deleted_by_its_number(api: Api) -> None:
    first = api.call("listRoutingRules")["rules"][0]
    fields = {"routingRuleId": str(first["id"])}
    assert api.refusal("deleteRoutingRule", **fields)[0] == "badRequest"
    api.call("deleteRoutingRule", routingRuleId=first["id"])
    assert first not in api.call("listRoutingRules")["rules"]
    fields = {"routingRuleId": first["id"]}
    assert api.refusal("deleteRoutingRule", **fields)[0] == "notFound"
