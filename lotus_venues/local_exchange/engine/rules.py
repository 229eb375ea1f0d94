"""The exchange's own rule of prices and sizes, written from the venue's statement of it and shared with no client.

A price has at most five significant figures and at most 6 - szDecimals decimals; whole numbers are always legal. A
size has at most szDecimals decimals. It works on the text, digit by digit, not on rounding: an independent second
implementation of what `lotus.trading.execution.rounding` does for orders that Lotus sends.
"""

import re
from typing import Final

from lotus_venues.local_exchange.requests.error_messages import BAD_PRICE, BAD_SIZE, BAD_TICK, ZERO_SIZE

MIN_NOTIONAL_MICRO: Final = 10_000_000
MAX_FIGURES: Final = 5
_NUMBER: Final = re.compile(r"(\d{1,15})(?:\.(\d{1,12}))?\Z", re.ASCII)


def price_units(text: str, decimals: int) -> tuple[int, str]:
    """Return (price in units of 10^-decimals, "") or (0, the venue's refusal).

    >>> price_units("123456", 1), price_units("12345.6", 1)
    ((1234560, ''), (0, 'Price must be divisible by tick size.'))
    """
    whole, part = _digits(text)
    if whole is None:
        return 0, BAD_PRICE
    if len(part) > decimals:
        return 0, BAD_TICK
    figures = (whole + part).lstrip("0")
    if not figures:
        return 0, BAD_PRICE
    if part and len(figures) > MAX_FIGURES:
        return 0, BAD_TICK
    return int(whole + part.ljust(decimals, "0")), ""


def size_lots(text: str, decimals: int, *, may_be_zero: bool = False) -> tuple[int, str]:
    """Return (size in lots of 10^-decimals, "") or (0, the venue's refusal).

    >>> size_lots("0.001", 5), size_lots("0.0011", 3), size_lots("0.0", 3)
    ((100, ''), (0, 'Order has invalid size.'), (0, 'Order has zero size.'))
    """
    whole, part = _digits(text)
    if whole is None or len(part) > decimals:
        return 0, BAD_SIZE
    lots = int(whole + part.ljust(decimals, "0"))
    return (lots, "") if lots or may_be_zero else (0, ZERO_SIZE)


def _digits(text: str) -> tuple[str | None, str]:
    """Return whole and fractional digits without trailing zeros; None for what is no plain number."""
    match = _NUMBER.match(text)
    if match is None:
        return None, ""
    return match[1], (match[2] or "").rstrip("0")
