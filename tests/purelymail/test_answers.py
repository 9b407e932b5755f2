"""Answers that PurelyMail should not give, and what becomes of them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
import responses

from purelymanage.purelymail import budget, client
from purelymanage.purelymail.client import PurelymailClient
from purelymanage.purelymail.errors import Rejected, Unavailable

URL = "https://purelymail.test"


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with (
        mock.patch.object(budget, "spend", autospec=True),
        mock.patch.object(client, "PAUSES", (0.0, 0.0)),
    ):
        logging.disable(logging.WARNING)
        yield
        logging.disable(logging.NOTSET)


def ask(answer: Any, operation: str, method: str, *arguments: Any, **more: Any) -> Any:
    body = answer if isinstance(answer, str) else json.dumps(answer)
    purelymail = PurelymailClient("pm-live-canary", base_url=URL)
    with responses.RequestsMock() as server:
        server.post(f"{URL}/api/v0/{operation}", body=body, **more)
        return getattr(purelymail, method)(*arguments)


MALFORMED: list[tuple[str, str, Any]] = [
    ("listUser", "list_users", {"users": None}),
    ("listUser", "list_users", {"users": [1]}),
    ("listUser", "list_users", {"users": ["no address"]}),
    ("listUser", "list_users", {"users": ["a\x00@example.org"]}),
    ("listUser", "list_users", {"users": ["a" * 250 + "@example.org"]}),
    ("listUser", "list_users", {}),
    ("listUser", "list_users", None),
    ("listUser", "list_users", ["a@example.org"]),
    ("listDomains", "list_domains", {"domains": [{"name": "example.org"}]}),
    ("listDomains", "list_domains", {"domains": ["example.org"]}),
    ("listRoutingRules", "list_routing_rules", {"rules": [{"id": True}]}),
    ("listRoutingRules", "list_routing_rules", {"rules": [{"id": 2**70}]}),
    ("checkAccountCredit", "check_account_credit", {"credit": "plenty"}),
    ("checkAccountCredit", "check_account_credit", {"credit": "NaN"}),
    ("checkAccountCredit", "check_account_credit", {"credit": 9.5}),
]


@pytest.mark.parametrize(("operation", "method", "result"), MALFORMED)
def test_a_malformed_answer_is_unavailable(
    operation: str, method: str, result: Any
) -> None:
    with pytest.raises(Unavailable, match="cannot be read"):
        ask({"type": "success", "result": result}, operation, method)


@pytest.mark.parametrize(
    "body", ["", "[]", "null", "[" * 100_000, '{"type": "success"}']
)
def test_what_is_no_answer_is_unavailable(body: str) -> None:
    with pytest.raises(Unavailable, match="cannot be read"):
        ask(body, "deleteUser", "delete_user", "a@example.org")


@pytest.mark.parametrize("result", [{}, None])
def test_a_write_returns_nothing_of_interest(result: Any) -> None:
    answer = {"type": "success", "result": result}
    assert ask(answer, "deleteUser", "delete_user", "a@example.org") is None


def test_an_error_counts_whatever_the_status_is() -> None:
    answer = {"type": "error", "code": "x", "message": "Not today"}
    for status in (200, 400, 500):
        with pytest.raises(Rejected, match="Not today"):
            ask(answer, "deleteUser", "delete_user", "a", status=status)


def test_a_refusal_can_be_stored_whatever_it_says() -> None:
    answer = {"type": "error", "code": None, "message": "Not\x00today" + "!" * 10_000}
    with pytest.raises(Rejected, match="Not today") as caught:
        ask(answer, "deleteUser", "delete_user", "a")
    assert len(caught.value.message) == client.LONGEST_MESSAGE
    assert caught.value.code == ""


def test_success_with_a_bad_status_is_no_success() -> None:
    with pytest.raises(Unavailable, match="HTTP 502"):
        ask({"result": {}}, "deleteUser", "delete_user", "a", status=502)


def test_redirects_are_not_followed() -> None:
    elsewhere = {"Location": "https://elsewhere.test/"}
    with pytest.raises(Unavailable):
        ask("", "deleteUser", "delete_user", "a", status=307, headers=elsewhere)


def test_a_huge_answer_is_cut_off() -> None:
    huge = json.dumps({"result": {"users": ["a" * client.LARGEST_ANSWER]}})
    with pytest.raises(Unavailable, match="cannot be read"):
        ask(huge, "deleteUser", "delete_user", "a")


def test_a_server_that_wants_to_be_left_alone_is() -> None:
    with mock.patch("time.sleep", autospec=True) as sleep:
        purelymail = PurelymailClient("pm-live-canary", base_url=URL)
        with responses.RequestsMock() as server:
            url = f"{URL}/api/v0/listUser"
            server.post(url, status=429, headers={"Retry-After": "7"})
            server.post(url, json={"result": {"users": ["A@Example.org"]}})
            assert purelymail.list_users() == ["a@example.org"]
    sleep.assert_called_once_with(7)


def test_a_long_wish_to_be_left_alone_ends_the_call() -> None:
    with pytest.raises(Unavailable):
        ask("", "listUser", "list_users", status=503, headers={"Retry-After": "3600"})


def test_fields_that_are_not_set_are_not_sent() -> None:
    purelymail = PurelymailClient("pm-live-canary", base_url=URL)
    with responses.RequestsMock() as server:
        server.post(f"{URL}/api/v0/modifyUser", json={"result": {}})
        purelymail.modify_user("a@example.org", new_password="x")
        body = server.calls[0].request.body
    assert body is not None
    assert json.loads(body) == {"userName": "a@example.org", "newPassword": "x"}
