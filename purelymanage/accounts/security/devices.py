"""Tells people which of their devices a browser is on.

Only ever for people to read: what a browser says about itself proves nothing.
"""

from __future__ import annotations

import re

# The first that is found counts: most browsers name others that they resemble.
BROWSERS = {
    r"Edg(?:e|A|iOS)?/": "Edge",
    r"OPR/|Opera": "Opera",
    r"SamsungBrowser/": "Samsung Internet",
    r"Vivaldi/": "Vivaldi",
    r"YaBrowser/": "Yandex Browser",
    r"DuckDuckGo/|Ddg/": "DuckDuckGo",
    r"Firefox/|FxiOS/": "Firefox",
    r"HeadlessChrome/|Chrome/|CriOS/|Chromium/": "Chrome",
    r"Version/\S+ .*Safari/": "Safari",
    r"curl/": "curl",
    r"python-requests/|Python-urllib/|aiohttp/": "a Python script",
}
SYSTEMS = {
    r"iPhone|iPod": "iPhone",
    r"iPad": "iPad",
    r"Android": "Android",
    r"CrOS ": "ChromeOS",
    r"Windows": "Windows",
    r"Macintosh|Mac OS X": "macOS",
    r"FreeBSD|OpenBSD": "BSD",
    r"Linux|X11": "Linux",
}
UNKNOWN = "an unknown browser"


def describe(user_agent: str) -> str:
    """Return, for instance, `Firefox on Windows`."""
    browser = _first(BROWSERS, user_agent)
    system = _first(SYSTEMS, user_agent)
    if not system:
        return browser or UNKNOWN
    return f"{browser or UNKNOWN} on {system}"


def _first(names: dict[str, str], user_agent: str) -> str:
    found = (name for mark, name in names.items() if re.search(mark, user_agent))
    return next(found, "")
