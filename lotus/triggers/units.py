"""Units of the trigger language: how a literal may spell them and what they are worth in one another.

Values are kept as they were written; `converted` says what one is worth in the unit that a place asks for, by decimal
arithmetic. Literature: units of measure.
"""

import math
from decimal import Decimal
from typing import Final

SPELLINGS: Final[dict[str, str]] = {
    "": "", "%": "%", "bps": "bps", "sigma": "sigma", "σ": "sigma", "usd": "usd", "ms": "ms", "s": "s", "m": "m",
    "min": "m", "h": "h", "d": "d",
}  # fmt: skip
_TIME_MS: Final[dict[str, int]] = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_FACTORS: Final[dict[tuple[str, str], Decimal]] = {
    **{(unit, "ms"): Decimal(span) for unit, span in _TIME_MS.items()}, ("%", "bps"): Decimal(100),
}  # fmt: skip


def spell(word: str) -> str:
    """Return the one spelling of a literal's unit; raises `KeyError` with a word that is none."""
    unit = SPELLINGS.get(word, SPELLINGS.get(word.lower()))
    if unit is None:
        raise KeyError(word)
    return unit


def converted(value: float, unit: str, wanted: str) -> float | None:
    """Return a literal's value in the unit `wanted`; None when it is another quantity or beyond a double.

    >>> converted(0.15, "%", "bps"), converted(6.0, "h", "ms"), converted(2.0, "sigma", "bps")
    (15.0, 21600000.0, None)
    """
    if unit == wanted:
        return value
    factor = _FACTORS.get((unit, wanted))
    if factor is None:
        return None
    result = float(Decimal(repr(value)) * factor)
    return result if math.isfinite(result) else None
