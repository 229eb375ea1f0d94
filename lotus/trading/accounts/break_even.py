"""The fee at which a detector would pay: its edge before fees by style of entry, against the fees of every tier.

A probe pays the maker's fee for the share of its entry that rested, the taker's for the rest and for its exit. Edge is
net plus those fees: after spread, slippage and funding, before fees. Only tape says what a style would have paid, and
nothing was traded so. A window that was not filled paid nothing and counts with zero.
(Literature: break-even transaction costs.)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.entry_style import EntryStyle
from lotus.trading.accounts.pnl import blocks_of, interval

Floats = NDArray[np.float64]
Columns = Mapping[str, NDArray[np.generic]]
Fees = tuple[float, float]  # taker, maker, bps a side
EVERY: Final = "all"


@dataclass(frozen=True, slots=True)
class BreakEven:
    """One detector in one style: means over its published windows, bps; `nets` by tier, with intervals where known.

    `rested` is the mean share of the entry that was filled at rest, pessimistic. `edge_interval` is None below five
    blocks.
    """

    detector: str
    style: str
    windows: int
    blocks: int
    rested: float
    edge_bps: float
    edge_interval: tuple[float, float] | None
    nets: tuple[float, ...]
    net_lows: tuple[float | None, ...]

    @property
    def pays_from(self) -> int | None:
        """The lowest tier at which the mean net is above zero; None when it is at none."""
        return next((tier for tier, net in enumerate(self.nets) if net > 0.0), None)

    @property
    def shown_from(self) -> int | None:
        """The lowest tier at which the whole interval of net is above zero."""
        return next((tier for tier, low in enumerate(self.net_lows) if low is not None and low > 0.0), None)

    @property
    def verdict(self) -> str:
        """Say at which tier it pays, and whether that is more than chance."""
        if self.pays_from is None:
            return "pays at no tier"
        return f"pays from tier {self.pays_from}, " + (
            "not shown" if self.shown_from is None else f"shown from tier {self.shown_from}"
        )


def break_even(table: Columns, paid: Fees, tiers: Sequence[Fees]) -> tuple[BreakEven, ...]:
    """Return a row for every detector and style, all detectors first, from columns of STYLE_PAYOFFS net of `paid`."""
    names = np.asarray(table["detector_id"]).astype(str)
    rows = []
    for detector in (EVERY, *np.unique(names).tolist()):
        own_rows = np.ones(len(names), np.bool_) if detector == EVERY else names == detector
        part = {name: np.asarray(values)[own_rows] for name, values in table.items()}
        rows += [_row(detector, style, part, paid, tiers) for style in EntryStyle if own_rows.any()]
    return tuple(rows)


def _row(detector: str, style: EntryStyle, part: Columns, paid: Fees, tiers: Sequence[Fees]) -> BreakEven:
    crosses = style is EntryStyle.CROSS
    net = np.asarray(part["cross" if crosses else f"{style}_low"], dtype=np.float64)
    is_known = np.isfinite(net)
    net = net[is_known]
    rested = np.zeros(len(net)) if crosses else np.asarray(part[f"{style}_rested_low"], dtype=np.float64)[is_known]
    is_filled = net != 0.0
    edge = net + _fees(rested, is_filled, paid)
    _, block = blocks_of(np.asarray(part["window_end_ms"])[is_known].astype(np.int64))
    nets = [edge - _fees(rested, is_filled, tier) for tier in tiers]
    ranges = [interval(values, block) for values in nets]
    return BreakEven(
        detector=detector,
        style=style.value,
        windows=len(net),
        blocks=len(np.unique(block)),
        rested=_mean(rested),
        edge_bps=_mean(edge),
        edge_interval=interval(edge, block),
        nets=tuple(_mean(values) for values in nets),
        net_lows=tuple(found[0] if found else None for found in ranges),
    )


def _fees(rested: Floats, is_filled: NDArray[np.bool_], fees: Fees) -> Floats:
    """Return what entry and exit cost, bps f8 [n]."""
    taker, maker = fees
    return np.where(is_filled, rested * maker + (2.0 - rested) * taker, 0.0)


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else 0.0
