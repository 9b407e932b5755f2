from __future__ import annotations

import pytest

from tests.purelymail.sandbox.conftest import Api

ANNA = "anna@example.org"


def test_a_user_is_created_with_both_recovery_methods(api: Api) -> None:
    api.call(
        "createUser",
        userName="Zoe",
        domainName="example.org",
        password="first-password",
        recoveryEmail="zoe@private.example",
        recoveryEmailDescription="home",
        recoveryPhone="+49 30 1",
    )
    assert "zoe@example.org" in api.call("listUser")["users"]
    user = api.call("getUser", userName="zoe@example.org")
    assert user == {
        "enableSearchIndexing": True,
        "recoveryEnabled": True,
        "requireTwoFactorAuthentication": False,
        "enableSpamFiltering": True,
        "resetMethods": [
            {
                "type": "email",
                "target": "zoe@private.example",
                "description": "home",
                "allowMfaReset": True,
            },
            {
                "type": "phone",
                "target": "+49 30 1",
                "description": "",
                "allowMfaReset": True,
            },
        ],
    }


@pytest.mark.parametrize(
    ("local", "domain", "code"),
    [
        ("anna", "example.org", "userExists"),
        ("first.last", "example.org", "invalidUserName"),
        ("a+b", "example.org", "invalidUserName"),
        ("", "example.org", "invalidUserName"),
        ("zoe@example.org", "example.org", "invalidUserName"),
        ("zoe", "nowhere.example", "noSuchDomain"),
    ],
)
def test_names_that_cannot_be(api: Api, local: str, domain: str, code: str) -> None:
    fields = {"userName": local, "domainName": domain, "password": "x"}
    assert api.refusal("createUser", **fields)[0] == code
    assert len(api.call("listUser")["users"]) == 40


def test_symbols_are_allowed_without_subaddressing(api: Api) -> None:
    fields = {"name": "example.org", "symbolicSubaddressing": False}
    api.call("updateDomainSettings", **fields)
    api.call("createUser", userName="a.b", domainName="example.org", password="x")
    assert "a.b@example.org" in api.call("listUser")["users"]


def test_required_fields_are_required(api: Api) -> None:
    code, message = api.refusal("createUser", userName="zoe", domainName="example.org")
    assert (code, message) == ("badRequest", "Field password is required.")
    assert api.refusal("getUser", userName=7)[0] == "badRequest"


def test_unknown_fields_succeed_and_do_nothing(api: Api) -> None:
    log_in = api.sandbox.account.log_in
    api.call("modifyUser", userName=ANNA, password="new", spamFiltering=False)
    assert log_in(ANNA, "purelymail-demo-anna")
    assert not log_in(ANNA, "new")


def test_only_new_password_changes_the_password(api: Api) -> None:
    log_in = api.sandbox.account.log_in
    api.call("modifyUser", userName=ANNA, newPassword="pässwörd")
    assert log_in(ANNA, "pässwörd")
    assert not log_in(ANNA, "purelymail-demo-anna")


def test_null_leaves_a_flag_alone(api: Api) -> None:
    before = api.call("getUser", userName=ANNA)
    nothing = {"enableSearchIndexing": None, "newPassword": None, "newUserName": None}
    api.call("modifyUser", userName=ANNA, **nothing)
    assert api.call("getUser", userName=ANNA) == before
    assert api.sandbox.account.log_in(ANNA, "purelymail-demo-anna")


def test_password_reset_reads_back_under_another_name(api: Api) -> None:
    api.call("modifyUser", userName=ANNA, enablePasswordReset=False)
    assert api.call("getUser", userName=ANNA)["recoveryEnabled"] is False


def test_enabling_password_reset_needs_a_password(api: Api) -> None:
    api.call("modifyUser", userName=ANNA, enablePasswordReset=False)
    fields = {"userName": ANNA, "enablePasswordReset": True}
    assert api.refusal("modifyUser", **fields)[0] == "passwordRequired"
    api.call("modifyUser", **fields, newPassword="another")
    assert api.call("getUser", userName=ANNA)["recoveryEnabled"] is True


def test_a_rename_keeps_the_password(api: Api) -> None:
    account = api.sandbox.account
    before = account.log_in(ANNA, "purelymail-demo-anna")
    api.call("modifyUser", userName=ANNA, newUserName="annika@example.org")
    assert api.refusal("getUser", userName=ANNA)[0] == "noSuchUser"
    assert account.log_in("annika@example.org", "purelymail-demo-anna") == before


def test_a_refused_rename_changes_nothing_else(api: Api) -> None:
    taken = {"newUserName": "ben@example.org", "newPassword": "another"}
    assert api.refusal("modifyUser", userName=ANNA, **taken)[0] == "userExists"
    assert api.sandbox.account.log_in(ANNA, "purelymail-demo-anna")


@pytest.mark.parametrize(
    ("operation", "fields", "code"),
    [
        ("modifyUser", {"newPassword": ""}, "badRequest"),
        ("modifyUser", {"newUserName": "anna2"}, "invalidUserName"),
        ("modifyUser", {"newUserName": "a.b@example.org"}, "invalidUserName"),
        ("modifyUser", {"enableSearchIndexing": "yes"}, "badRequest"),
        ("upsertPasswordReset", {"type": "fax", "target": "1"}, "badRequest"),
        (
            "upsertPasswordReset",
            {"type": "phone", "target": "1", "existingTarget": "2"},
            "notFound",
        ),
    ],
)
def test_changes_that_cannot_be(
    api: Api, operation: str, fields: dict[str, str], code: str
) -> None:
    before = api.call("getUser", userName=ANNA)
    assert api.refusal(operation, userName=ANNA, **fields)[0] == code
    assert api.call("getUser", userName=ANNA) == before


def test_two_factor_comes_after_a_reset_method_and_goes_before_it(api: Api) -> None:
    user = {"userName": "ben@example.org"}
    two_factor = {"requireTwoFactorAuthentication": True}
    assert api.refusal("modifyUser", **user, **two_factor)[0] == "resetMethodRequired"
    api.call("upsertPasswordReset", **user, type="email", target="b@private.example")
    api.call("modifyUser", **user, **two_factor)
    target = {"target": "b@private.example"}
    code, _ = api.refusal("deletePasswordReset", **user, **target)
    assert code == "resetMethodRequired"
    api.call("modifyUser", **user, requireTwoFactorAuthentication=False)
    api.call("deletePasswordReset", **user, **target)
    assert api.call("getUser", **user)["resetMethods"] == []


def test_recovery_methods_are_listed_as_users(api: Api) -> None:
    user = {"userName": "ben@example.org"}
    api.call(
        "upsertPasswordReset", **user, type="phone", target="1", allowMfaReset=False
    )
    api.call("upsertPasswordReset", **user, type="email", target="b@private.example")
    api.call(
        "upsertPasswordReset",
        **user,
        type="phone",
        target="2",
        existingTarget="1",
        description="new",
    )
    assert api.call("listPasswordReset", **user)["users"] == [
        {"type": "phone", "target": "2", "description": "new", "allowMfaReset": True},
        {
            "type": "email",
            "target": "b@private.example",
            "description": "",
            "allowMfaReset": True,
        },
    ]


def test_deleting_recovery_without_target_removes_all(api: Api) -> None:
    user = {"userName": "ben@example.org"}
    for target in ("1", "2"):
        api.call("upsertPasswordReset", **user, type="phone", target=target)
    assert api.refusal("deletePasswordReset", **user, target="3")[0] == "notFound"
    api.call("deletePasswordReset", **user)
    assert api.call("listPasswordReset", **user)["users"] == []


def test_app_passwords_are_revoked_by_their_plaintext(api: Api) -> None:
    log_in = api.sandbox.account.log_in
    plain = api.call("createAppPassword", userHandle=ANNA, name="copy")["appPassword"]
    other = api.call("createAppPassword", userHandle=ANNA)["appPassword"]
    assert log_in(ANNA, plain) == log_in(ANNA, "purelymail-demo-anna")
    wrong = {"userName": ANNA, "appPassword": "wrong"}
    assert api.refusal("deleteAppPassword", **wrong)[0] == "notFound"
    api.call("deleteAppPassword", userName=ANNA, appPassword=plain)
    assert not log_in(ANNA, plain)
    assert log_in(ANNA, other)
    assert log_in(ANNA, "purelymail-demo-anna")


def test_two_factor_leaves_only_app_passwords(api: Api) -> None:
    log_in = api.sandbox.account.log_in
    user = {"userName": ANNA}
    api.call("upsertPasswordReset", **user, type="email", target="a@private.example")
    api.call("modifyUser", **user, requireTwoFactorAuthentication=True)
    plain = api.call("createAppPassword", userHandle=ANNA)["appPassword"]
    assert not log_in(ANNA, "purelymail-demo-anna")
    assert log_in(ANNA, plain)


def test_a_deleted_user_is_gone(api: Api) -> None:
    first = api.sandbox.account.log_in(ANNA, "purelymail-demo-anna")
    api.call("deleteUser", userName=ANNA)
    assert api.refusal("getUser", userName=ANNA)[0] == "noSuchUser"
    assert api.refusal("deleteUser", userName=ANNA)[0] == "noSuchUser"
    api.call("createUser", userName="anna", domainName="example.org", password="x")
    # A mailbox of the same name is another mailbox.
    assert api.sandbox.account.log_in(ANNA, "x") != first


def test_list_user_stops_at_a_thousand(api: Api) -> None:
    users = api.sandbox.account.state.users
    some = users[ANNA]
    users |= {f"u{number}@example.org": some for number in range(1_000)}
    assert len(api.call("listUser")["users"]) == 1_000
