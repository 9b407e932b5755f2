from __future__ import annotations

import socket
import time
from urllib.parse import urlsplit

import pytest
import requests

from tests.purelymail.sandbox.conftest import Api

ZOE = {"userName": "zoe", "domainName": "example.org", "password": "x"}


def zoe_exists(api: Api) -> bool:
    return "zoe@example.org" in api.call("listUser")["users"]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("status_500", 500),
        ("status_429", 429),
        ("refuse_before", 503),
        ("not_json", 200),
    ],
)
def test_a_page_instead_of_an_answer(api: Api, kind: str, status: int) -> None:
    api.sandbox.faults.add(kind, "createUser")
    response = api.post("createUser", ZOE)
    assert response.status_code == status
    assert response.headers["Content-Type"].startswith("text/html")
    assert not zoe_exists(api)


@pytest.mark.parametrize(
    ("kind", "effect"),
    [("drop", "none"), ("half_answer", "created"), ("drop_after", "created")],
)
def test_a_connection_that_ends_early(api: Api, kind: str, effect: str) -> None:
    api.sandbox.faults.add(kind, "createUser")
    with pytest.raises(requests.RequestException):
        api.post("createUser", ZOE)
    assert zoe_exists(api) is (effect == "created")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "effect"), [("hang", "none"), ("hang_after", "created")]
)
def test_a_server_that_hangs(api: Api, kind: str, effect: str) -> None:
    api.sandbox.faults.add(kind, "createUser")
    with pytest.raises(requests.ReadTimeout):
        api.post("createUser", ZOE, timeout=0.2)
    assert zoe_exists(api) is (effect == "created")


def test_latency_delays_and_answers(api: Api) -> None:
    api.sandbox.faults.add("latency", "createUser", seconds=0.2)
    start = time.monotonic()
    api.call("createUser", **ZOE)
    assert time.monotonic() - start >= 0.2
    assert zoe_exists(api)


def test_success_without_effect(api: Api) -> None:
    api.sandbox.faults.add("silent_success", "createUser")
    assert api.call("createUser", **ZOE) == {}
    assert not zoe_exists(api)


def test_an_error_of_ones_choice(api: Api) -> None:
    error = {"code": "tooMany", "message": "Too many users."}
    api.control("POST", "faults", kind="error", operation="createUser", **error)
    assert api.refusal("createUser", **ZOE) == ("tooMany", "Too many users.")
    assert not zoe_exists(api)


def test_an_empty_list(api: Api) -> None:
    api.sandbox.faults.add("empty_list", times=3)
    assert api.call("listUser") == {"users": []}
    assert api.call("listDomains") == {"domains": []}
    assert api.call("listRoutingRules") == {"rules": []}
    assert len(api.call("listUser")["users"]) == 40


def test_faults_meet_their_operation_as_often_as_asked(api: Api) -> None:
    api.sandbox.faults.add("status_500", "listUser", times=2)
    assert api.post("listDomains").status_code == 200
    assert [api.post("listUser").status_code for _ in range(3)] == [500, 500, 200]


def test_faults_can_last_and_be_cleared(api: Api) -> None:
    api.control("POST", "faults", kind="status_500", times=None)
    assert [api.post("listUser").status_code for _ in range(3)] == [500] * 3
    (fault,) = api.control("GET", "faults")["faults"]
    assert (fault["kind"], fault["operation"]) == ("status_500", "*")
    api.control("DELETE", "faults")
    assert api.post("listUser").status_code == 200


@pytest.mark.slow
def test_refused_connections_come_back(api: Api) -> None:
    api.call("listUser")
    api.control("POST", "faults", kind="refuse", seconds=0.5)
    address = urlsplit(api.sandbox.api_url)
    assert address.hostname
    assert address.port
    refused = False
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            socket.create_connection((address.hostname, address.port), 1).close()
        except ConnectionRefusedError:
            refused = True
        except ConnectionError:
            # Came in just before the listener closed.
            continue
        else:
            if refused:
                break
        time.sleep(0.01)
    assert refused
    api.http.close()  # the connection from before is of no use any more
    assert len(api.call("listUser")["users"]) == 40
