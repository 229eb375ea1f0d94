"""The one table of everything an expression may call, and of its operators: signature, units, formula, nulls, memory.

Checker, documentation and tests read this table; the kernels compute exactly what it says. No computation belongs here.
Notation: the window of a row is that row and the w - 1 rows before it; a step is one row; t counts rows since birth.
Unless said otherwise any null operand gives null, and so does a result that is not finite.
Literature: window functions of stream algebras, technical indicators.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class ArgumentKind(StrEnum):
    """What may stand in a place of a call."""

    NUMBER = "number"
    FLAG = "flag"
    WINDOW = "constant duration of at least 1 step, at most 2 h"
    DELAY = "constant duration, 0 allowed, at most 2 h"
    HALF_LIFE = "constant duration of at least 1 step; 5 half-lives at most 2 h"
    SHARE = "constant number in [0, 1]"
    TOLERANCE = "constant >= 0 in the unit of x"


class Unit(StrEnum):
    """The unit of a result; all numbers of one call must share one unit."""

    SAME = "that of its numbers"
    ONE = "1"
    PURE = "1, and x must be 1"
    ROOT = "the square root of that of x"
    SIGMA = "sigma"
    STEP = "step"
    PER_MINUTE = "that of x per min"
    FLAG = "flag"


class Cost(StrEnum):
    """What one row costs, and what the state holds."""

    PLAIN = "O(1), no state"
    CELL = "O(1), a few numbers"
    RING = "O(1), the rows of w"
    SORTED = "one pass over the rows of w, at most 600; above 600 steps over 64 bins"


@dataclass(frozen=True, slots=True)
class Transform:
    """One callable form; `op` is its node, "" where the checker lowers it to others."""

    name: str
    arguments: tuple[tuple[str, ArgumentKind], ...]
    op: str
    unit: Unit
    cost: Cost
    formula: str
    null: str
    example: str

    @property
    def signature(self) -> str:
        """The call with the names of its arguments."""
        return f"{self.name}({', '.join(name for name, _ in self.arguments)})"

    @property
    def memory(self) -> str:
        """What it remembers, from the kinds of its arguments."""
        spans = [(name, kind) for name, kind in self.arguments]
        parts = [f"5 {name}" for name, kind in spans if kind is ArgumentKind.HALF_LIFE]
        parts += [name for name, kind in spans if kind in (ArgumentKind.WINDOW, ArgumentKind.DELAY)]
        return ", ".join(parts) or {"crossed": "since the last side", "since": "2 h"}.get(self.name, "none")


_X: Final = ("x", ArgumentKind.NUMBER)
_A: Final = ("a", ArgumentKind.NUMBER)
_B: Final = ("b", ArgumentKind.NUMBER)
_F: Final = ("f", ArgumentKind.FLAG)
_W: Final = ("w", ArgumentKind.WINDOW)
_D: Final = ("d", ArgumentKind.DELAY)
_H: Final = ("h", ArgumentKind.HALF_LIFE)
_XW: Final = (_X, _W)

_ANY: Final = "where an operand is null"
_HALF: Final = "while t < w, and where fewer than half of the window's rows are known"

TRANSFORMS: Final[tuple[Transform, ...]] = (
    Transform("min", (_A, _B), "min2", Unit.SAME, Cost.PLAIN, "the smaller of a and b", _ANY, "min(imb_1, imb_5)"),
    Transform("max", (_A, _B), "max2", Unit.SAME, Cost.PLAIN, "the larger of a and b", _ANY, "max(spread_bps, 1bps)"),
    Transform("abs", (_X,), "abs", Unit.SAME, Cost.PLAIN, "|x|", _ANY, "abs(ret_bps) > 5bps"),
    Transform("sign", (_X,), "sign", Unit.ONE, Cost.PLAIN, "-1, 0 or 1", _ANY, "sign(body_bps) * imb_5"),
    Transform("log", (_X,), "log", Unit.PURE, Cost.PLAIN, "ln x", "where x is null or <= 0",
              "log(depth_bid_usd / depth_ask_usd)"),
    Transform("sqrt", (_X,), "sqrt", Unit.ROOT, Cost.PLAIN, "square root of x", "where x is null or < 0",
              "rv_bps * sqrt(5m)"),
    Transform("clip", (_X, ("lo", ArgumentKind.NUMBER), ("hi", ArgumentKind.NUMBER)), "clip", Unit.SAME, Cost.PLAIN,
              "min(max(x, lo), hi)", _ANY, "clip(zscore(spread_bps, 10m), -3sigma, 3sigma)"),
    Transform("where", (_F, _A, _B), "where", Unit.SAME, Cost.PLAIN, "a where f, else b",
              "where the chosen one is null", "where(sweep > 0, imb_5, -imb_5)"),
    Transform("known", (_X,), "known", Unit.FLAG, Cost.PLAIN, "x is not null", "never", "known(depth_slope)"),
    Transform("lag", (_X, _D), "lag", Unit.SAME, Cost.RING, "x of d ago", "while t <= d, and where x was null then",
              "lag(spread_bps, 1s)"),
    Transform("delta", (_X, _D), "", Unit.SAME, Cost.RING, "x - lag(x, d)", "as `lag`, and where x is null",
              "delta(mid, 5s)"),
    Transform("ema", (_X, _H), "ema", Unit.SAME, Cost.CELL,
              "e += (1 - 2^(-1/h)) (x - e), starting at the first known x", "before a known x; a null x keeps e",
              "ema(imb_5, 10s)"),
    Transform("mean", _XW, "mean", Unit.SAME, Cost.RING, "mean of the known x of the window", _HALF,
              "mean(spread_bps, 1m)"),
    Transform("std", _XW, "std", Unit.SAME, Cost.RING, "population standard deviation of the known x of the window",
              _HALF, "std(ret_bps, 1m)"),
    Transform("sum", _XW, "sum", Unit.SAME, Cost.RING, "sum of the known x of the window", _HALF,
              "sum(volume_usd, 1m) > 100000usd"),
    Transform("zscore", _XW, "", Unit.SIGMA, Cost.RING, "(x - mean(x, w)) / std(x, w)",
              "as `mean`, where x is null, and where std is 0", "zscore(basis_bps, 20m) > 2sigma"),
    Transform("rank", _XW, "rank", Unit.ONE, Cost.SORTED,
              "share of the window's known x below x, ties half; above 600 steps from a histogram of 64 bins with "
              "half-life w/2", _HALF + ", and where x is null", "rank(rv_bps, 20m)"),
    Transform("quantile", (_X, ("q", ArgumentKind.SHARE), _W), "quantile", Unit.SAME, Cost.SORTED,
              "the q-quantile of what `rank` looks at", _HALF, "quantile(spread_bps, 0.9, 10m)"),
    Transform("max", _XW, "rmax", Unit.SAME, Cost.RING, "largest known x of the window", _HALF, "max(mid, 20m)"),
    Transform("min", _XW, "rmin", Unit.SAME, Cost.RING, "smallest known x of the window", _HALF, "min(mid, 20m)"),
    Transform("argmax_age", _XW, "argmax_age", Unit.STEP, Cost.RING,
              "rows since the latest row that holds the window's maximum", _HALF, "argmax_age(mid, 5m) < 30s"),
    Transform("argmin_age", _XW, "argmin_age", Unit.STEP, Cost.RING,
              "rows since the latest row that holds the window's minimum", _HALF, "argmin_age(mid, 5m) < 30s"),
    Transform("slope", _XW, "slope", Unit.PER_MINUTE, Cost.RING, "least-squares slope of x on time over the window",
              "while t < w, where any x of the window is null, and for w of one step",
              "slope(basis_bps, 1m) > 2bps/min"),
    Transform("crossed", (_A, _B), "crossed", Unit.ONE, Cost.CELL,
              "1 where a rises above b, -1 where it falls below, else 0; touching is not crossing", _ANY,
              "crossed(ema(mid, 10s), ema(mid, 1m)) > 0"),
    Transform("since", (_F,), "since", Unit.STEP, Cost.CELL, "rows since f was last true, 0 where it is, at most 2 h",
              "before f was true", "since(sweep > 0) < 30s"),
    Transform("hold", (_X, _F, _D), "hold", Unit.SAME, Cost.CELL, "x of the latest row where f was true",
              "before one, where it is more than d ago, and where x was null then", "hold(mid, abs(sweep) > 0, 1m)"),
    Transform("count", (_F, _W), "count", Unit.ONE, Cost.RING, "rows of the window where f was true", "never",
              "count(trade_n > 0trades, 10s) >= 20"),
    Transform("within", (_F, _D), "within", Unit.FLAG, Cost.CELL, "f was true at most d ago", "never",
              "within(abs(sweep) > 0, 10s)"),
    Transform("breakout", _XW, "breakout", Unit.ONE, Cost.RING,
              "1 where x is above every known x of the w rows before this one, -1 where below, else 0",
              "while t <= w, and where x is null", "breakout(mid, 20m)"),
    Transform("retest", (_X, ("level", ArgumentKind.NUMBER), ("tol", ArgumentKind.TOLERANCE), _D), "retest", Unit.ONE,
              Cost.CELL,
              "side of x is 1 above level + tol, -1 below level - tol, between them the side before; a break is a "
              "change of side; the side's sign where |x - level| <= tol and the last break is at most d ago, else 0",
              _ANY, "retest(mid, lag(max(mid, 20m), 10s), 3ticks, 5m)"),
    Transform("rsi", (_X, _H), "", Unit.ONE, Cost.CELL,
              "100 g / (g + l), g and l the ema of half-life h of rises and falls from row to row",
              "before two known rows in turn, and while nothing moved", "rsi(mid, 30s) > 70"),
    Transform("macd", (_X, ("fast", ArgumentKind.HALF_LIFE), ("slow", ArgumentKind.HALF_LIFE)), "",
              Unit.SAME, Cost.CELL,
              "ema(x, fast) - ema(x, slow)", "before a known x", "macd(mid, 12s, 26s)"),
    Transform("macd_signal",
              (_X, ("fast", ArgumentKind.HALF_LIFE), ("slow", ArgumentKind.HALF_LIFE), ("h", ArgumentKind.HALF_LIFE)),
              "", Unit.SAME, Cost.CELL, "ema(macd(x, fast, slow), h)", "before a known x",
              "crossed(macd(mid, 12s, 26s), macd_signal(mid, 12s, 26s, 9s))"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator and the operations of its symbols."""

    symbols: tuple[tuple[str, str], ...]
    unit: str
    formula: str
    null: str
    example: str


OPERATORS: Final[tuple[Operator, ...]] = (
    Operator((("+", "add"), ("-", "sub")), "equal units; that unit", "a + b, a - b", _ANY, "wick_up_bps - wick_dn_bps"),
    Operator((("*", "mul"),), "product of the units", "a b", _ANY, "imb_5 * spread_bps"),
    Operator((("/", "div"),), "quotient of the units", "a / b", "where an operand is null or b is 0",
             "volume_usd / trade_n"),
    Operator((("<", "lt"), ("<=", "le"), (">", "gt"), (">=", "ge"), ("==", "eq"), ("!=", "ne")), "equal units; flag",
             "comparison of numbers; false where an operand is null", "never", "spread_bps <= 2bps"),
    Operator((("and", "and"), ("or", "or")), "flags; flag", "both, either", "never",
             "imb_5 > 0.4 and spread_bps < 2bps"),
)  # fmt: skip
PREFIXES: Final[tuple[Operator, ...]] = (
    Operator((("-", "neg"),), "that of a", "-a", _ANY, "-imb_5"),
    Operator((("not", "not"),), "flag; flag", "not a; true where a comparison met a null", "never", "not imb_5 > 0.4"),
)
BINARY_OPS: Final[dict[str, str]] = {symbol: op for row in OPERATORS for symbol, op in row.symbols}
FORMS: Final[dict[str, tuple[Transform, ...]]] = {
    name: tuple(t for t in TRANSFORMS if t.name == name) for name in dict.fromkeys(t.name for t in TRANSFORMS)
}
