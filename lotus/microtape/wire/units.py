"""Exact conversion of the venue's decimal strings to integer units: the slow, general twin of `parser.numbers`."""

import re
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Final

from lotus.microtape.parser.numbers import MAX_EXACT
from lotus.microtape.wire.reasons import QuarantineReason

_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,6})?")
MAX_INTEGER: Final = 10**18


class RefusedValue(Exception):
    """A value that puts its line aside; carries the reason. Never leaves the decoder."""

    def __init__(self, reason: QuarantineReason) -> None:
        """Keep the reason."""
        super().__init__(reason.name)
        self.reason = reason


def units(text: str, decimals: int, *, exact: bool = False, signed: bool = False) -> int:
    """Return the integer number of 10^-decimals units; raises `RefusedValue` for what is not a usable number.

    Rounds half away from zero; with `exact` a non-zero digit beyond the unit is refused.

    >>> units("3495670.8399999999", 2)
    349567084
    """
    if not _NUMBER.fullmatch(text):
        raise RefusedValue(QuarantineReason.NOT_A_NUMBER)
    number = Decimal(text)
    if number.adjusted() > 20:
        raise RefusedValue(QuarantineReason.HUGE_NUMBER)
    with localcontext() as context:
        context.prec = len(text) + 40
        scaled = number.scaleb(decimals) if number.adjusted() > -60 else Decimal(0)
        whole = scaled.to_integral_value(ROUND_HALF_UP)
    value = int(whole)
    if abs(value) > MAX_EXACT:
        raise RefusedValue(QuarantineReason.HUGE_NUMBER)
    if value < 0 and not signed:
        raise RefusedValue(QuarantineReason.NEGATIVE)
    if exact and (whole != scaled or (number != 0 and number.adjusted() <= -60)):
        raise RefusedValue(QuarantineReason.PRICE_UNIT)
    return value


def price(text: str, px_decimals: int) -> int:
    """Return a quoted or traded price in integer units; raises `RefusedValue` unless it is positive and on the unit."""
    value = units(text, px_decimals, exact=True)
    if value <= 0:
        raise RefusedValue(QuarantineReason.NEGATIVE)
    return value


def integer(value: int) -> int:
    """Return a JSON integer that the kernels can hold; raises `RefusedValue` for a negative or huge one."""
    if value < 0:
        raise RefusedValue(QuarantineReason.NEGATIVE)
    if value >= MAX_INTEGER:
        raise RefusedValue(QuarantineReason.HUGE_NUMBER)
    return value
