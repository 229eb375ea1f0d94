"""The table of operators, levels and quantities: every parameter with default, range and unit.

The checker, the reference page and the tests read this table; what an operator does is in `leaves`. Nothing is parsed
or evaluated here. Literature: Donchian channel, volatility band, volume-weighted average price.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lotus.microtape.frames.spec import FLOAT_COLUMNS


class Kind(StrEnum):
    """What may stand for a parameter."""

    LEVEL = "a level"
    COUNT = "a whole number"
    BAND = "sigma, bps or %"
    SHARE = "bps or %"
    DURATION = "a duration"
    CHOICE = "a word"


@dataclass(frozen=True, slots=True)
class OperatorParameter:
    """One parameter: its default as it would be written ("" for none), closed range in `unit`, and meaning.

    A BAND has the range of its `unit` sigma, and of bps in `high_bps`.
    """

    name: str
    kind: Kind
    default: str
    meaning: str
    low: float = 0.0
    high: float = 0.0
    unit: str = ""
    choices: tuple[str, ...] = ()
    high_bps: float = 0.0


@dataclass(frozen=True, slots=True)
class TriggerOperator:
    """One operator: parameters in the order of their places, when it happens, and an example."""

    name: str
    parameters: tuple[OperatorParameter, ...]
    happens: str
    example: str


@dataclass(frozen=True, slots=True)
class ComparedQuantity:
    """Something that is compared: `column` of the frame's floats, or -1 for a fact given to the watcher."""

    name: str
    column: int
    unit: str
    meaning: str


LOOKBACK: Final = OperatorParameter(
    "lookback", Kind.COUNT, "20", "the last so many whole bars before the one that is open", 3, 240, "bars"
)
BAR: Final = OperatorParameter(
    "bar", Kind.DURATION, "1m", "length of a bar, cut at whole multiples in UTC", 1e3, 3.6e6, "ms"
)
LEVEL: Final = OperatorParameter("level", Kind.LEVEL, "", "a level by name, or a price in USD")
TOUCH_TOL: Final = OperatorParameter(
    "tol", Kind.SHARE, "2bps", "distance from the level that still counts", 0, 500, "bps"
)
RETEST_TOL: Final = OperatorParameter(
    "tol", Kind.SHARE, "0.15%", "distance from the level that still counts", 0, 500, "bps"
)
LONGEST_LOOKBACK_MS: Final[int] = 86_400_000  # lookback times bar
LIMIT: Final = OperatorParameter("limit", Kind.DURATION, "", "from the frame that arms", 1e3, 6.048e8, "ms")

OPERATORS: Final[tuple[TriggerOperator, ...]] = (
    TriggerOperator(
        "breakout",
        (
            LOOKBACK,
            OperatorParameter("band", Kind.BAND, "0bps", "how far beyond the bars", 0, 20, "sigma", high_bps=2_000),
            OperatorParameter(
                "side", Kind.CHOICE, "up", "above the highest or below the lowest", choices=("up", "down")
            ),
            BAR,
        ),
        "at the frame whose mid is beyond the highest mid (down: the lowest) of the bars by more than the band, when "
        "the mid known before was not",
        "breakout(lookback=20, band=2sigma)",
    ),
    TriggerOperator(
        "retest",
        (
            LEVEL,
            RETEST_TOL,
            OperatorParameter(
                "side", Kind.CHOICE, "either", "where it comes from", choices=("above", "below", "either")
            ),
            LOOKBACK,
            BAR,
        ),
        "inside WITHIN only, once something else has armed it: at the frame whose mid is within `tol` of the level "
        "after the mid was farther away on `side`; the last mid outside `tol` decides the side",
        "breakout() AND retest(level=prev_high, tol=0.15%) WITHIN 6h",
    ),
    TriggerOperator(
        "touch",
        (LEVEL, TOUCH_TOL, LOOKBACK, BAR),
        "at every frame whose mid is within `tol` of the level, or on its other side than the mid known before",
        "touch(level=61250, tol=5bps)",
    ),
    TriggerOperator(
        "cross",
        (
            LEVEL,
            OperatorParameter("side", Kind.CHOICE, "either", "the way it goes", choices=("up", "down", "either")),
            LOOKBACK,
            BAR,
        ),
        "at the frame whose mid is beyond the level on the other side than the last mid that did not equal it",
        "cross(level=vwap, side=up)",
    ),
)
BY_NAME: Final[dict[str, TriggerOperator]] = {o.name: o for o in OPERATORS}

LEVELS: Final[dict[str, str]] = {
    "prev_high": "highest mid of the last `lookback` whole bars",
    "prev_low": "lowest mid of the last `lookback` whole bars",
    "vwap": "traded USD / traded size at the mids of their frames, of the last `lookback` whole bars and the open one",
    "entry": "the entry price of the plan, given to the watcher",
}

# unit of a frame column -> unit of the literals beside it
_LITERAL: Final[dict[str, str]] = {
    "bps": "bps", "bps per hour": "bps", "bps per sqrt(minute)": "bps", "USD": "usd", "ms": "ms", "price units": "usd",
}  # fmt: skip
FACTS: Final[dict[str, tuple[str, str]]] = {"adv_usd": ("usd", "average daily volume, given to the watcher")}


def _quantities() -> dict[str, ComparedQuantity]:
    quantities = {name: ComparedQuantity(name, -1, unit, meaning) for name, (unit, meaning) in FACTS.items()}
    for index, column in enumerate(FLOAT_COLUMNS):
        unit = _LITERAL.get(column.unit, "")
        meaning = "mid price in USD" if column.name == "mid" else f"column of the frame, in {column.unit}"
        quantities[column.name] = ComparedQuantity(column.name, index, unit, meaning)
    return quantities


QUANTITIES: Final[dict[str, ComparedQuantity]] = _quantities()
