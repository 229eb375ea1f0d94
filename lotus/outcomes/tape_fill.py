"""Y: the payoff of a probe as executed against the tape (`fill_source` = tape_sim), with size, fees and funding.

This is the matching run of a paper venue over recorded quotes. It shares no line with `probe`: the modelled cost must
not leak into what was executed. Impact rule: the top of the book fills up to its size at its price; every further
multiple of that size fills one tick worse. An entry that would need more than `MAX_MULTIPLES` of the top is rejected
and the probe pays nothing (Y = 0); an exit always fills, at most that many ticks away. Funding is charged as the venue
does it: one hourly rate for every full UTC hour that passes while the probe is open.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.timebase import HOUR_MS

FILL_SOURCE = "tape_sim"
MAX_MULTIPLES = 20
_NS_PER_HOUR = HOUR_MS * 1_000_000

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TopOfBook:
    """The quotes met at one end of a probe: arrays [n] of receive time, prices and sizes in integer units."""

    recv_ns: Ints
    bid_px: Ints
    bid_sz: Ints
    ask_px: Ints
    ask_sz: Ints

    def side(self, buying: NDArray[np.bool_]) -> tuple[Ints, Ints]:
        """Return price and size taken from: the ask when buying, else the bid."""
        return np.where(buying, self.ask_px, self.bid_px), np.where(buying, self.ask_sz, self.bid_sz)


def tick_units(px: Ints, px_decimals: int) -> Ints:
    """Return the venue's tick at a price, in integer price units: five significant figures, whole USD always allowed.

    >>> tick_units(np.array([1_000_000, 1_234, 99_999_90]), 1).tolist()
    [10, 1, 10]
    """
    powers = 10 ** np.arange(19, dtype=np.int64)
    digits = np.searchsorted(powers, px, side="right")
    exponent = np.clip(digits - 5, 0, px_decimals)
    return powers[exponent]


def walk(px: Ints, top: Ints, lots: Ints, tick: Ints, buying: NDArray[np.bool_]) -> tuple[Floats, Ints]:
    """Return the average price of taking `lots` and the number of whole multiples of the top size it went through."""
    size = np.maximum(top, 1)
    whole = np.minimum(lots // size, MAX_MULTIPLES)
    rest = lots - whole * size
    tick_lots = size * (whole * (whole - 1) // 2) + rest * whole
    worse = tick * (tick_lots / lots)
    return np.where(buying, px + worse, px - worse), lots // size


def executed_payoff_bps(
    direction: Floats,
    entry: TopOfBook,
    leave: TopOfBook,
    funding_paid_bps_h: Floats,
    *,
    sz_decimals: int,
    notional_usd: float,
    fee_bps: float,
) -> Floats:
    """Return Y in bps of the entry value for probes of one asset; 0 for a rejected entry, NaN without direction.

    `funding_paid_bps_h` is what the position pays per hour (negative when it receives), null counts 0.
    """
    buying = direction > 0.0
    px_decimals = 6 - sz_decimals
    entry_px, entry_top = entry.side(buying)
    lots = lots_of(entry_px, notional_usd, sz_decimals)
    paid, multiples = walk(entry_px, entry_top, lots, tick_units(entry_px, px_decimals), buying)
    leave_px, leave_top = leave.side(~buying)
    got, _ = walk(leave_px, leave_top, lots, tick_units(leave_px, px_decimals), ~buying)
    ratio = got / paid
    hours = leave.recv_ns // _NS_PER_HOUR - entry.recv_ns // _NS_PER_HOUR
    payoff = direction * (ratio - 1.0) * 1e4 - fee_bps * (1.0 + ratio) - np.nan_to_num(funding_paid_bps_h) * hours
    rejected = (entry_top <= 0) | (multiples > MAX_MULTIPLES)
    return np.where(direction == 0.0, np.nan, np.where(rejected, 0.0, payoff))


def lots_of(px: Ints, notional_usd: float, sz_decimals: int) -> Ints:
    """Return the probe's size at a price, in lots, at least one."""
    usd = px / 10.0 ** (6 - sz_decimals)
    return np.maximum(np.rint(notional_usd / usd * 10.0**sz_decimals), 1.0).astype(np.int64)
