"""Tokens of the byte parser: literals, integers, decimals, plain text and coins at a position of a line.

Every function returns the index after the token, or -1 for a surprise. A line ends with a newline byte, which no
token contains. Rounding is half away from zero at the last kept decimal, exactly as in `wire.units`.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.jit import kernel

NAME_WIDTH: Final = 32  # bytes a coin of the table may take, with a closing zero; longer names take the typed path
MAX_EXACT: Final = 2**53  # larger magnitudes are "huge": they would not survive a float
_POW10: NDArray[np.int64] = 10 ** np.arange(19, dtype=np.int64)


def literal(text: str) -> NDArray[np.uint8]:
    """Return the bytes of a literal in the form kernels compare with."""
    return np.frombuffer(text.encode(), dtype=np.uint8).copy()


@kernel
def literal_at(buf: NDArray[np.uint8], at: int, text: NDArray[np.uint8]) -> int:
    """Return the index after `text` when it stands at `buf[at]`."""
    for k in range(text.size):
        if buf[np.uint64(at + k)] != text[k]:
            return -1
    return at + text.size


@kernel
def integer_at(buf: NDArray[np.uint8], at: int) -> tuple[int, int]:
    """Parse a JSON integer of at most 18 digits, without sign; return (value, index after the last digit)."""
    value = digit = int(buf[np.uint64(at)]) - 48
    if digit < 0 or digit > 9:
        return 0, -1
    start = at
    at += 1
    digit = int(buf[np.uint64(at)]) - 48
    if value == 0 and 0 <= digit <= 9:
        return 0, -1
    while 0 <= digit <= 9:
        value = value * 10 + digit
        at += 1
        digit = int(buf[np.uint64(at)]) - 48
    if at - start > 18:
        return 0, -1
    return value, at


@kernel
def decimal_at(buf: NDArray[np.uint8], at: int, decimals: int, exact: bool) -> tuple[int, int]:
    """Parse a decimal string after its opening quote to units of 10^-decimals; return (value, index after the quote).

    Digits beyond the unit round half up; when `exact`, any non-zero digit beyond it is a surprise.
    """
    value, start = 0, at
    digit = int(buf[np.uint64(at)]) - 48
    while 0 <= digit <= 9:
        value = value * 10 + digit
        at += 1
        digit = int(buf[np.uint64(at)]) - 48
    if at == start or at - start + decimals > 18:
        return 0, -1
    if digit != -2:  # no decimal point
        if digit != -14 or value > MAX_EXACT:
            return 0, -1
        value *= _POW10[decimals]
        return (value, at + 1) if value <= MAX_EXACT else (0, -1)
    at += 1
    start = at
    last = at + decimals
    digit = int(buf[np.uint64(at)]) - 48
    while 0 <= digit <= 9 and at < last:
        value = value * 10 + digit
        at += 1
        digit = int(buf[np.uint64(at)]) - 48
    value *= _POW10[last - at]
    if 0 <= digit <= 9:
        value += 1 if digit >= 5 else 0
        while 0 <= digit <= 9:
            if exact and digit != 0:
                return 0, -1
            at += 1
            digit = int(buf[np.uint64(at)]) - 48
    if at == start or digit != -14 or value > MAX_EXACT:
        return 0, -1
    return value, at + 1


@kernel
def signed_decimal_at(buf: NDArray[np.uint8], at: int, decimals: int) -> tuple[int, int]:
    """Parse a decimal string that may be negative, as `decimal_at`, rounding half away from zero."""
    if buf[at] == 45:
        value, end = decimal_at(buf, at + 1, decimals, False)
        return -value, end
    return decimal_at(buf, at, decimals, False)


@kernel
def plain_text_at(buf: NDArray[np.uint8], at: int) -> int:
    """Skip a string of letters, digits, `.`, `+` and `-` after its opening quote; return the index after the quote."""
    while buf[np.uint64(at)] != 34:
        c = buf[np.uint64(at)]
        if not (48 <= c <= 57 or 97 <= c <= 122 or 65 <= c <= 90 or c == 46 or c == 45 or c == 43):
            return -1
        at += 1
    return at + 1


@kernel
def coin_at(buf: NDArray[np.uint8], at: int, slots: NDArray[np.int64], names: NDArray[np.uint8]) -> tuple[int, int]:
    """Return (row of the coin table, index after the closing quote) of the coin after an opening quote."""
    code, end = 0, at
    while buf[np.uint64(end)] != 34:
        if buf[np.uint64(end)] < 32 or end - at >= NAME_WIDTH - 1:
            return -1, -1
        code = (code * 31 + buf[end]) & 0xFFFFFFF
        end += 1
    length, slot = end - at, code & (slots.size - 1)
    while slots[slot] != 0:
        row = slots[slot] - 1
        k = 0
        while k < length and names[row, k] == buf[at + k]:
            k += 1
        if k == length and names[row, k] == 0:
            return row, end + 1
        slot = (slot + 1) & (slots.size - 1)
    return -1, -1
