"""What a page that asks for news of itself would ask next."""

from __future__ import annotations

import html
import re
from typing import Any

MOVES = re.compile(r'class="moving" type="hidden" name="row" value="(\d+)"')


def asks_again(response: Any, part: str = "", page: Any = None) -> str:
    """Return the address, with the rows that the page says move; "" if it is quiet.

    `part` is the id of what asks, where several do; `page` is what was drawn before, if
    `response` is no more than a part of it.
    """
    content = response.content.decode()
    begins = rf'id="{part}"' if part else ""
    asks = re.search(rf'{begins}[^>]*hx-get="([^"]+)"[^>]*hx-trigger="every', content)
    if asks is None:
        return ""
    moving = MOVES.findall((page or response).content.decode())
    return "".join([html.unescape(asks[1]), *(f"&row={key}" for key in moving)])
