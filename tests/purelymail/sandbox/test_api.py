from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
import requests

from purelymanage.environment import BASE_DIR
from purelymanage.purelymail.sandbox.account import OPERATIONS
from tests.purelymail.sandbox.conftest import Api


def post(api: Api, headers: dict[str, str]) -> Any:
    url = f"{api.sandbox.api_url}/api/v0/listUser"
    response = requests.post(url, json={}, headers=headers, timeout=5)
    assert response.status_code == 200
    return response.json()


def test_a_token_must_come_in_its_own_header(api: Api) -> None:
    bearer = {"Authorization": f"Bearer {api.sandbox.api_token}"}
    assert post(api, bearer) == {
        "type": "error",
        "code": "invalidToken",
        "message": "Token must be supplied in Purelymail-Api-Token header",
    }


def test_a_wrong_token_is_an_error_with_status_200(api: Api) -> None:
    assert post(api, {"Purelymail-Api-Token": "pm-live-wrong"}) == {
        "type": "error",
        "code": "invalidToken",
        "message": "Token not valid.",
    }
    assert api.sandbox.calls.total == 0


def test_an_unknown_operation_is_a_page(api: Api) -> None:
    response = api.post("listUsers")
    assert response.status_code == 404
    assert response.headers["Content-Type"].startswith("text/html")
    assert "<html" in response.text or "<!doctype html>" in response.text


def test_all_operations_of_the_description_exist(api: Api) -> None:
    assert len(OPERATIONS) == 19
    for operation in OPERATIONS:
        assert api.post(operation).json()["type"] in {"success", "error"}


@pytest.mark.slow
def test_it_needs_no_django() -> None:
    imports = "import sys, purelymanage.purelymail.sandbox.server as server\n"
    start = "with server.Sandbox(): print('django' in sys.modules)"
    command = [sys.executable, "-c", imports + start]
    output = subprocess.run(command, cwd=BASE_DIR, capture_output=True, check=True)
    assert output.stdout == b"False\n"


@pytest.mark.parametrize("body", ["", "nonsense", "[]", "null"])
def test_the_body_is_an_object(api: Api, body: str) -> None:
    url = f"{api.sandbox.api_url}/api/v0/listUser"
    answer = api.http.post(url, data=body, timeout=5).json()
    expected = "success" if not body else "error"
    assert answer["type"] == expected


def test_calls_are_counted_by_operation(api: Api) -> None:
    api.call("listUser")
    api.call("listUser")
    api.refusal("getUser", userName="nobody@example.org")
    counts = {"total": 3, "operations": {"listUser": 2, "getUser": 1}}
    assert api.control("GET", "calls") == counts
    assert api.sandbox.calls.names == ["listUser", "listUser", "getUser"]
    api.control("DELETE", "calls")
    assert len(api.sandbox.calls) == 0


def test_reset_brings_everything_back(api: Api) -> None:
    api.call("deleteDomain", name="example.org")
    api.control("DELETE", "zones", zone="example.org")
    api.control("POST", "faults", kind="drop", times=None)
    api.control("POST", "reset")
    assert len(api.call("listUser")["users"]) == 40
    api.call("updateDomainSettings", name="example.org", recheckDns=True)
    assert api.call("listDomains")["domains"][0]["dnsSummary"]["passesMx"] is True


def test_web_pages_cannot_steer_it(api: Api) -> None:
    url = f"{api.sandbox.api_url}/sandbox/reset"
    headers = {"Origin": "https://elsewhere.example"}
    assert requests.post(url, headers=headers, timeout=5).status_code == 403


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("faults", {"kind": "unheard-of"}),
        ("faults", {"kind": "drop", "often": 1}),
        ("zones", {"records": []}),
        ("zones", {"zone": "example.org", "preset": "unheard-of"}),
        ("account", {"credit": "much"}),
    ],
)
def test_control_names_what_is_wrong(api: Api, what: str, body: dict[str, Any]) -> None:
    url = f"{api.sandbox.api_url}/sandbox/{what}"
    response = requests.post(url, json=body, timeout=5)
    assert response.status_code == 400
    assert json.loads(response.text)["error"]


def test_control_knows_its_paths(api: Api) -> None:
    url = f"{api.sandbox.api_url}/sandbox/elsewhere"
    assert requests.get(url, timeout=5).status_code == 404
