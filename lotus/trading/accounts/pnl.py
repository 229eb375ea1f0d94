"""Honest profit and loss: every trade split into gross, fees, spread, slippage and funding, and what is left of it.

Gross is mid to mid at the two decisions (to enter, to leave): what the idea earned before anybody had to be paid.
Spread is half the quoted spread met at each end; slippage is the rest of the distance between the prices executed and
the mids at the decisions (the market's way while the order was on it, and depth). Money is whole millionths of a
dollar, so that gross - fees - spread - slippage - funding = net holds exactly in every row and in every sum.
An edge is claimed only where the interval of net lies above zero. Where trades come from does not belong here.
Literature: implementation shortfall (Perold 1988), transaction cost analysis; cluster-robust t intervals.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.errors import SchemaError
from lotus.outcomes.intervals import LEVEL, MIN_BLOCKS, clustered_error
from lotus.timebase import BLOCK_MS, DAY_MS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Texts = NDArray[np.object_]
NO_EDGE: Final = "no edge after fees"
COSTS: Final = ("fees", "spread", "slippage", "funding")
AMOUNTS: Final = ("gross", *COSTS, "net")
METHOD: Final = (
    f"{100 * (2 * LEVEL - 1):g} % t interval of the mean per trade over blocks of trades that stay together (UTC days,"
    f" or 6 h blocks while there are fewer than {MIN_BLOCKS} days); no interval below {MIN_BLOCKS} blocks; one interval"
    " for each row, not corrected for their number"
)


class FillSource(StrEnum):
    """Where a trade was executed; results of different sources are never added."""

    TAPE_SIM = "tape_sim"
    PAPER_LIVE = "paper_live"
    VENUE = "venue"


@dataclass(frozen=True, slots=True)
class TradeEnds:
    """One end of trades, arrays [n] in USD: mid at the decision, half the spread met, average price executed."""

    decision_mid: Floats
    half_spread: Floats
    px: Floats


@dataclass(frozen=True, slots=True)
class TradeColumns:
    """Trades of one fill source, arrays [n]; money in millionths of a dollar, costs positive when they were paid.

    `notional` is the value at entry that bps refer to; a trade that was refused or not filled has zeros and counts.
    `time_ms` is the decision to enter.
    """

    source: FillSource
    detector: Texts
    asset: Texts
    time_ms: Ints
    filled: NDArray[np.bool_]
    notional: Ints
    gross: Ints
    fees: Ints
    spread: Ints
    slippage: Ints
    funding: Ints

    def __len__(self) -> int:
        """Return the number of trades, those not filled included."""
        return len(self.time_ms)

    @property
    def net(self) -> Ints:
        """What is left: gross - fees - spread - slippage - funding."""
        return self.gross - self.fees - self.spread - self.slippage - self.funding

    def amount(self, name: str) -> Ints:
        """Return one of `AMOUNTS`."""
        values: Ints = getattr(self, name)
        return values

    def bps(self, name: str) -> Floats:
        """Return one of `AMOUNTS` in bps of the entry value, 0 for a trade that was not filled."""
        return 1e4 * self.amount(name) / np.maximum(self.notional, 1)

    def where(self, chosen: NDArray[np.bool_]) -> "TradeColumns":
        """Return the chosen trades."""
        return TradeColumns(self.source, *(getattr(self, f.name)[chosen] for f in fields(self)[1:]))


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the page: sums in millionths of a dollar, means in bps per trade, intervals of the mean or None."""

    label: str
    trades: int
    unfilled: int
    blocks: int
    block: str
    notional_micro_usd: int
    micro_usd: dict[str, int]
    mean_bps: dict[str, float]
    gross_interval: tuple[float, float] | None
    net_interval: tuple[float, float] | None

    @property
    def has_edge(self) -> bool:
        """Whether the interval of net lies above zero."""
        return self.net_interval is not None and self.net_interval[0] > 0.0

    @property
    def verdict(self) -> str:
        """`NO_EDGE`, with the reason where there is no interval; empty where the interval of net lies above zero."""
        if self.has_edge:
            return ""
        if self.trades == 0:
            return f"{NO_EDGE} (no trades)"
        return NO_EDGE if self.net_interval else f"{NO_EDGE} (no interval; blocks: {self.blocks})"


def decomposed(
    source: FillSource,
    names: tuple[Texts, Texts],
    time_ms: Ints,
    side: Floats,
    size: Floats,
    legs: tuple[TradeEnds, TradeEnds],
    paid: tuple[Floats, Floats],
) -> TradeColumns:
    """Return trades from what was executed.

    `names` are detectors and assets; `side` is 1 or -1; `size` in base units, 0 for a trade that was not filled; `legs`
    are entry and exit; `paid` are fees and funding in USD, negative when received. With M the mid at a decision, h half
    the spread and p the price executed: gross = d q (M_x - M_e), spread = q (h_e + h_x), slippage = d q (p_e - M_e) +
    d q (M_x - p_x) - spread. Raises `SchemaError` for a filled trade with an unknown number.
    """
    entry, leave = legs
    filled = size > 0.0
    gross = side * size * (leave.decision_mid - entry.decision_mid)
    spread = size * (entry.half_spread + leave.half_spread)
    shortfall = side * size * ((entry.px - entry.decision_mid) + (leave.decision_mid - leave.px))
    money = (size * entry.px, gross, paid[0], spread, shortfall - spread, paid[1])
    if not all(np.all(np.isfinite(part[filled])) for part in money):
        raise SchemaError("a filled trade with an unknown price or cost", "mids, spreads and prices of both ends")
    micro = (np.rint(np.where(filled, part, 0.0) * 1e6).astype(np.int64) for part in money)
    return TradeColumns(source, *names, time_ms, filled, *micro)


def joined(parts: Sequence[TradeColumns]) -> TradeColumns:
    """Return trades of one source one after the other; raises `SchemaError` for several sources."""
    if len({part.source for part in parts}) != 1:
        raise SchemaError("trades of several fill sources, or of none", "one source: results are never added")
    columns = (np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(parts[0])[1:])
    return TradeColumns(parts[0].source, *columns)


def total(trades: TradeColumns, label: str = "all") -> Line:
    """Return the row of all trades together."""
    block, numbers = blocks_of(trades.time_ms)
    return Line(
        label=label,
        trades=len(trades),
        unfilled=int(np.count_nonzero(~trades.filled)),
        blocks=len(np.unique(numbers)),
        block=block,
        notional_micro_usd=int(trades.notional.sum()),
        micro_usd={name: int(trades.amount(name).sum()) for name in AMOUNTS},
        mean_bps={name: float(trades.bps(name).mean()) if len(trades) else 0.0 for name in AMOUNTS},
        gross_interval=interval(trades.bps("gross"), numbers),
        net_interval=interval(trades.bps("net"), numbers),
    )


def by_detector(trades: TradeColumns) -> tuple[Line, ...]:
    """Return one row for every detector, in alphabetical order."""
    names = sorted(set(trades.detector.tolist()))
    return tuple(total(trades.where(trades.detector == name), name) for name in names)


def blocks_of(time_ms: Ints) -> tuple[str, Ints]:
    """Return what a block is and its number for every trade: UTC days, or 6 h blocks while there are few days."""
    days = time_ms // DAY_MS
    return ("day", days) if len(np.unique(days)) >= MIN_BLOCKS else ("6 h block", time_ms // BLOCK_MS)


def interval(values: Floats, block: Ints) -> tuple[float, float] | None:
    """Return the interval of the mean of values whose blocks are independent; None with too few, or without spread.

    mean +- t sqrt(B / (B - 1) sum_b (sum_{i in b} (x_i - mean))^2) / n, t of B - 1 degrees of freedom.
    """
    if not len(values):
        return None
    mean = float(values.mean())
    _, reach = clustered_error(values - mean, np.unique(block, return_inverse=True)[1].astype(np.float64))
    return None if np.isnan(reach) else (mean - reach, mean + reach)
