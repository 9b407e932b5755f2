from __future__ import annotations

import pytest

from purelymanage.accounts.security.devices import describe

GECKO = "(KHTML, like Gecko)"
KNOWN = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0": (
        "Firefox on Windows"
    ),
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 {GECKO} "
    "Chrome/131.0.0.0 Safari/537.36": "Chrome on Windows",
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 {GECKO} "
    "Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0": "Edge on Windows",
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 {GECKO} "
    "Version/18.1 Safari/605.1.15": "Safari on macOS",
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 {GECKO} "
    "CriOS/131.0.6778.73 Mobile/15E148 Safari/604.1": "Chrome on iPhone",
    f"Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X) AppleWebKit/605.1.15 {GECKO} "
    "Version/17.7 Mobile/15E148 Safari/604.1": "Safari on iPad",
    f"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 {GECKO} "
    "SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36": (
        "Samsung Internet on Android"
    ),
    "Mozilla/5.0 (Android 15; Mobile; rv:133.0) Gecko/133.0 Firefox/133.0": (
        "Firefox on Android"
    ),
    f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 {GECKO} "
    "Chrome/131.0.0.0 Safari/537.36": "Chrome on ChromeOS",
    "curl/8.11.0": "curl",
    "python-requests/2.32.3": "a Python script",
    "": "an unknown browser",
    "<script>": "an unknown browser",
}


@pytest.mark.parametrize(("user_agent", "words"), KNOWN.items())
def test_a_browser_is_told_in_words(user_agent: str, words: str) -> None:
    assert describe(user_agent) == words
