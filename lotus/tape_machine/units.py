"""Units: their canonical text, products, roots and the conversion of time, and how a literal may be spelled.

A unit is a product of base symbols with exponents in halves; its canonical text writes what is above the line first
(`bps`, `bps*USD`), then `/` before each symbol below it (`bps/min`, `1/bps`, `bps/sqrt(min)`). Time symbols (ms, s,
min, h, step) are symbols of their own: only a constant is converted between them, never a stream. `%` is a spelling
of 100 bps, so a share of one is not a percentage: plain numbers and bps do not mix. No node is made here.
Literature: dimensional analysis, units of measure in type systems (Kennedy).
"""

import math
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final

from lotus.errors import ConfigError

SYMBOLS: Final[dict[str, str]] = {
    "bps": "hundredth of a percent of a price or quantity",
    "USD": "US dollars of notional",
    "lots": "integer size units of the venue",
    "coins": "base units of the asset",
    "ticks": "integer price units",
    "trades": "a count of trades",
    "sigma": "standard deviations of the value's own past",
    "ms": "milliseconds",
    "s": "seconds",
    "min": "minutes",
    "h": "hours",
    "step": "rows of the input table: frames or windows",
}
SPELLINGS: Final[dict[str, str]] = {
    **{symbol: symbol for symbol in SYMBOLS}, "usd": "USD", "m": "min", "steps": "step", "tick": "ticks",
    "lot": "lots", "coin": "coins", "trade": "trades", "%": "%",
}  # fmt: skip
TIME_MS: Final[dict[str, int]] = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000}
MAX_EXPONENT: Final[int] = 16  # in halves: no unit is raised beyond the 8th power

Dims = tuple[tuple[str, int], ...]  # (symbol, exponent in halves), in the order of SYMBOLS, none 0
_ORDER: Final = {symbol: k for k, symbol in enumerate(SYMBOLS)}


@lru_cache(maxsize=4096)
def dims_of(unit: str) -> Dims:
    """Return the exponents of a canonical unit text; raises `ConfigError` for a symbol that does not exist."""
    exponents: dict[str, int] = {}
    above, *below = unit.split("/")
    for sign, part in [*((1, p) for p in above.split("*")), *((-1, p) for p in below)]:
        symbol, halves = part, 2
        if part.startswith("sqrt(") and part.endswith(")"):
            symbol, halves = part[5:-1], 1
        elif "^" in part:
            symbol, power = part.split("^", 1)
            halves = round(2 * float(power))
        if symbol == "1" and sign > 0 and part == above:
            continue
        if symbol not in SYMBOLS:
            raise ConfigError(f"unit {unit!r}", f"a product of {', '.join(SYMBOLS)}", f"no symbol {symbol!r}")
        exponents[symbol] = exponents.get(symbol, 0) + sign * halves
    return _sorted(exponents)


@lru_cache(maxsize=4096)
def text_of(dims: Dims) -> str:
    """Return the canonical text of exponents; raises `ConfigError` when one is beyond the 8th power."""
    if any(abs(halves) > MAX_EXPONENT for _, halves in dims):
        raise ConfigError(f"a unit of power {max(abs(h) for _, h in dims) / 2:g}", "at most the 8th power")
    above = [_power(symbol, halves) for symbol, halves in dims if halves > 0]
    below = [_power(symbol, -halves) for symbol, halves in dims if halves < 0]
    return "/".join(["*".join(above) or "1", *below])


@lru_cache(maxsize=4096)
def product(left: str, right: str, sign: int = 1) -> str:
    """Return the unit of left * right, or of left / right with `sign` -1."""
    exponents = dict(dims_of(left))
    for symbol, halves in dims_of(right):
        exponents[symbol] = exponents.get(symbol, 0) + sign * halves
    return text_of(_sorted(exponents))


def quotient(left: str, right: str) -> str:
    """Return the unit of left / right."""
    return product(left, right, -1)


@lru_cache(maxsize=4096)
def root(unit: str) -> str:
    """Return the unit of a square root; raises `ConfigError` when a symbol already stands under one."""
    dims = dims_of(unit)
    if any(halves % 2 for _, halves in dims):
        raise ConfigError(f"the square root of {unit}", "whole powers below the root", "a root of a root")
    return text_of(tuple((symbol, halves // 2) for symbol, halves in dims))


@lru_cache(maxsize=4096)
def time_ratio(unit: str, target: str, step_ms: int) -> float | None:
    """Return the factor that turns a number of `unit` into one of `target`; None when more than time differs."""
    square, rest, power = Fraction(1), dict[str, int](), 0
    for sign, text in ((1, unit), (-1, target)):
        for symbol, halves in dims_of(text):
            span_ms = step_ms if symbol == "step" else TIME_MS.get(symbol)
            if span_ms is None:
                rest[symbol] = rest.get(symbol, 0) + sign * halves
            else:
                square *= Fraction(span_ms) ** (sign * halves)
                power += sign * halves
    if power or any(rest.values()):
        return None
    above, below = math.isqrt(square.numerator), math.isqrt(square.denominator)
    if above**2 == square.numerator and below**2 == square.denominator:
        return above / below
    return math.sqrt(square)


def is_duration(unit: str) -> bool:
    """Tell whether a unit is plain time."""
    return unit in TIME_MS or unit == "step"


def spell(text: str) -> str:
    """Return the one spelling of a literal's unit (`20min` is `20m`); raises `KeyError` with the unknown word."""
    first, *below = text.split("/")
    words = [SPELLINGS[first] if first else "", *(w if w == "sqrt(min)" else SPELLINGS[w] for w in below)]
    words[0] = {"USD": "usd", "min": "m" if len(words) == 1 else "min"}.get(words[0], words[0])
    return "/".join(words)


@lru_cache(maxsize=1024)
def unit_of_spelling(spelling: str) -> str:
    """Return the canonical unit of a spelling made by `spell`; `%` stands for bps."""
    first, *below = spelling.split("/")
    unit = {"": "1", "%": "bps"}.get(first) or SPELLINGS[first]
    for word in below:
        unit = quotient(unit, SPELLINGS.get(word, word))
    return unit


def scaled(value: float, spelling: str) -> float:
    """Return a literal's number in its canonical unit: 0.15% is 15 bps, exactly as decimal arithmetic says."""
    return float(Decimal(repr(value)).scaleb(2)) if spelling.startswith("%") else value


def _power(symbol: str, halves: int) -> str:
    if halves == 2:
        return symbol
    return f"sqrt({symbol})" if halves == 1 else f"{symbol}^{halves / 2:g}"


def _sorted(exponents: Mapping[str, int]) -> Dims:
    return tuple(sorted(((s, h) for s, h in exponents.items() if h), key=lambda item: _ORDER[item[0]]))
