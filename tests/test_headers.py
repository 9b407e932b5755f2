from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from purelymanage.environment import BASE_DIR
from tests.cast import PASSWORD, CastTestCase

# What one process that was set up for production says of itself.
PRODUCTION = """
import json, django
django.setup()
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.test.utils import setup_test_environment
call_command("check", deploy=True, fail_level="WARNING")
setup_test_environment()
settings.ALLOWED_HOSTS.remove("testserver")
# There is no database here, and nothing that is asked for needs one.
from purelymanage.database_watch import watch
watch.answers = lambda patience: True
settings.STORAGES["staticfiles"]["BACKEND"] = (
    "django.contrib.staticfiles.storage.StaticFilesStorage"
)
def ask(path, **headers):
    r = Client().get(path, headers={"host": "panel.example.org", **headers})
    cookies = [it.OutputString() for it in r.cookies.values()]
    return [r.status_code, dict(r.headers), cookies]
https = {"x-forwarded-proto": "https"}
print(json.dumps({
    "page": ask("/accounts/login/", **https),
    "plain": ask("/accounts/login/"),
    "stranger": ask("/accounts/login/", **https, host="evil.example"),
    "names": [settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME],
}))
"""


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    key = base64.b64encode(bytes(32)).decode()
    env = {
        "PATH": os.environ["PATH"],
        "ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "purelymanage.settings",
        "SECRET_KEY": base64.b85encode(bytes(range(100))).decode(),
        "ENCRYPTION_KEYS": f"1:{key}",
        "AUDIT_KEY": key,
        "DATABASE_URL": "postgres://nobody@127.0.0.1:9/nothing",
        "BASE_URL": "https://panel.example.org",
        "ALLOWED_HOSTS": "panel.example.org",
        "TRUSTED_PROXIES": "1",
        "STATIC_URL": "https://files.example.net/panel/",
        "STATIC_ROOT": str(tmp_path_factory.mktemp("static")),
    }
    done = subprocess.run(
        [sys.executable, "-c", PRODUCTION],
        cwd=BASE_DIR,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def test_cookies_are_of_this_host_alone(production: dict[str, Any]) -> None:
    assert production["names"] == ["__Host-sessionid", "__Host-csrftoken"]
    _, _, cookies = production["page"]
    assert cookies
    for cookie in cookies:
        assert cookie.startswith("__Host-")
        for attribute in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
            assert attribute in cookie
        assert "Domain" not in cookie


def test_browsers_come_back_by_https(production: dict[str, Any]) -> None:
    status, headers, _ = production["page"]
    assert status == 200
    assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    status, headers, _ = production["plain"]
    assert status == 301
    assert headers["Location"] == "https://panel.example.org/accounts/login/"


def test_a_name_that_is_not_ours_is_refused(production: dict[str, Any]) -> None:
    status, headers, _ = production["stranger"]
    assert status == 400
    assert "evil" not in json.dumps(headers)


def test_files_may_come_from_elsewhere(production: dict[str, Any]) -> None:
    policy = production["page"][1]["Content-Security-Policy"]
    assert "style-src https://files.example.net;" in f"{policy};"
    assert re.search(r"script-src 'nonce-[\w+/=]+'(;|$)", policy)


class HeaderTests(CastTestCase):
    def test_pages_say_what_browsers_may_do(self) -> None:
        self.client.force_login(self.adam)
        headers = self.client.get("/settings/").headers
        policy = dict(
            part.strip().split(" ", 1)
            for part in headers["Content-Security-Policy"].split(";")
        )
        for directive in ("default-src", "base-uri", "frame-ancestors", "object-src"):
            self.assertEqual(policy[directive], "'none'")
        self.assertEqual(policy["form-action"], "'self'")
        self.assertNotIn("unsafe", str(policy))
        self.assertEqual(headers["X-Frame-Options"], "DENY")
        self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
        self.assertEqual(headers["Referrer-Policy"], "same-origin")
        self.assertEqual(headers["Cross-Origin-Opener-Policy"], "same-origin")
        self.assertEqual(headers["Cross-Origin-Resource-Policy"], "same-origin")
        self.assertIn("camera=()", headers["Permissions-Policy"])
        self.assertEqual(headers["Cache-Control"], "private, no-store")

    def test_each_answer_has_a_nonce_of_its_own(self) -> None:
        policies = {
            self.client.get("/accounts/login/").headers["Content-Security-Policy"]
            for _ in range(2)
        }
        self.assertEqual(len(policies), 2)

    def test_no_template_forgets_it(self) -> None:
        forgotten = [
            f"{path.name}: {tag}"
            for path in Path(BASE_DIR / "templates").rglob("*.html")
            for tag in re.findall(r"<script[^>]*>", path.read_text())
            if 'nonce="{{ csp_nonce }}"' not in tag
        ]
        self.assertEqual(forgotten, [])

    def test_nobody_is_sent_elsewhere_after_signing_in(self) -> None:
        for target in ("https://evil.example/", "//evil.example", "/\\evil.example"):
            form = {"login": self.adam.email, "password": PASSWORD, "next": target}
            r = self.client.post("/accounts/login/", form)
            self.assertEqual(r.status_code, 302)
            self.assertNotIn("evil", r.headers["Location"])
            r = self.client.get("/accounts/login/", {"next": target})
            self.assertRedirects(r, "/", fetch_redirect_response=False)
            self.client.logout()

    @override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=1000)
    def test_what_is_too_large_is_refused(self) -> None:
        self.client.force_login(self.adam)
        r = self.client.post("/settings/", {"x": "y" * 2000})
        self.assertEqual(r.status_code, 413)
