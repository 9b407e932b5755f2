"""Numbers as people read them, on pages and in the audit log alike."""

from __future__ import annotations

THIN = "\u202f"
UNITS = [(10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB")]


def thin(value: int | None) -> str:
    """Write 18204 as 18 204, with separators that do not break."""
    return "" if value is None else f"{value:,}".replace(",", THIN)


def in_bytes(value: int | None) -> str:
    """Write a size the way disks and providers do, in powers of ten."""
    if value is None:
        return ""
    for size, unit in UNITS:
        # 999 960 bytes are 1.0 MB, not 1000.0 kB.
        if value >= size * 0.99995:
            amount = value / size
            digits = 0 if unit == "kB" or amount >= 100 else 1
            return f"{amount:.{digits}f}\u00a0{unit}"
    return f"{value}\u00a0{'byte' if value == 1 else 'bytes'}"
