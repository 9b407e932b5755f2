"""The panel's icons: ready-made ones by our names for them, and our own shapes."""

from __future__ import annotations

from functools import cache

import heroicons
from django.utils.safestring import SafeString, mark_safe

HEROICONS = {
    "audit": "document-text",
    "bell": "bell",
    "copy": "document-duplicate",
    "credit": "banknotes",
    "dashboard": "squares-2x2",
    "domain": "globe-alt",
    "dots": "ellipsis-horizontal",
    "down": "chevron-down",
    "download": "arrow-down-tray",
    "edit": "pencil",
    "folder": "folder",
    "hide": "eye-slash",
    "key": "key",
    "keys": "command-line",
    "left": "chevron-left",
    "lock": "lock-closed",
    "mailbox": "envelope",
    "menu": "bars-3",
    "moon": "moon",
    "move": "arrows-right-left",
    "pause": "pause",
    "person": "user",
    "play": "play",
    "plus": "plus",
    "right": "chevron-right",
    "screen": "computer-desktop",
    "search": "magnifying-glass",
    "server": "server-stack",
    "settings": "adjustments-horizontal",
    "show": "eye",
    "signout": "arrow-right-start-on-rectangle",
    "sort-down": "arrow-down",
    "sort-up": "arrow-up",
    "stop": "stop",
    "sun": "sun",
    "sync": "arrow-path",
    "tag": "tag",
    "trash": "trash",
    "undo": "arrow-uturn-left",
    "upload": "arrow-up-tray",
}

# States differ in shape and not only in colour, which the package does not offer.
SHAPES = {
    "attention": '<path d="M8 2.25 14.5 13.5h-13Z" fill="currentColor"/>'
    '<path class="knock" d="M8 6.25v3.25M8 11.6v.01"/>',
    "bang": '<path d="M8 3v6M8 12.5v.01"/>',
    "brand": '<rect x=".5" y=".5" width="15" height="15" rx="4" fill="currentColor" '
    'stroke="none"/><path class="knock" stroke-width="1.35" '
    'd="M3.5 5.25 8 8.75l4.5-3.5M3.5 5.25v5.5h9v-5.5"/>',
    "broken": '<path d="M5.45 1.75h5.1l3.7 3.7v5.1l-3.7 3.7h-5.1l-3.7-3.7v-5.1Z" '
    'fill="currentColor" stroke-width="1"/>'
    '<path class="knock" d="m5.9 5.9 4.2 4.2M10.1 5.9l-4.2 4.2"/>',
    "check": '<path d="m3.25 8.5 3 3 6.5-7"/>',
    "cross": '<path d="m4.25 4.25 7.5 7.5M11.75 4.25l-7.5 7.5"/>',
    "dash": '<path d="M4.5 8h7"/>',
    "good": '<circle cx="8" cy="8" r="6.5" fill="currentColor" stroke="none"/>'
    '<path class="knock" d="m5.25 8.25 1.9 1.9 3.6-4.15"/>',
    "off": '<circle cx="8" cy="8" r="5.75" stroke-dasharray="2.4 2.12"/>',
    "route": '<path d="M1.75 8h2.5c2.5 0 2.25-4 5-4h4.5M4.25 8c2.5 0 2.25 4 5 4h4.5'
    'M11.75 2l2 2-2 2M11.75 10l2 2-2 2"/>',
    "running": '<circle cx="8" cy="8" r="5.75" opacity=".3"/>'
    '<path d="M8 2.25A5.75 5.75 0 0 1 13.75 8" stroke-width="2"/>',
    "waiting": '<circle cx="8" cy="8" r="6"/><path d="M8 4.75V8l2.25 1.5"/>',
}


@cache
def draw(name: str) -> SafeString:
    """Return an icon as inline SVG, so that it takes the colour of its words."""
    if name in SHAPES:
        return mark_safe(  # noqa: S308  # nothing in it comes from outside
            '<svg class="icon" viewBox="0 0 16 16" aria-hidden="true">'
            f"{SHAPES[name]}</svg>"
        )
    drawn = heroicons._render_icon(
        "outline", HEROICONS[name], None, {"class": "icon outline"}
    )
    return mark_safe(drawn)  # noqa: S308
