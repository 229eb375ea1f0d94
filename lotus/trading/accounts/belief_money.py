"""What beliefs changed in money: windows published with them and without them on the same draws, by style of entry.

A window's draw is one number, published where it lies below the propensity, so the days without beliefs are known
exactly. Probes of one size against the tape, after all costs; nothing was traded so.
(Literature: paired comparison under common random numbers.)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.entry_style import EntryStyle
from lotus.trading.accounts.pnl import blocks_of, interval

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Columns = Mapping[str, NDArray[np.generic]]
PAYOFF: Final = {EntryStyle.CROSS: "cross", EntryStyle.JOIN: "join_low", EntryStyle.IMPROVE: "improve_low"}
BPS: Final = 1e4


@dataclass(frozen=True, slots=True)
class PaidWindows:
    """Some windows and what their probes paid in all, USD."""

    windows: int
    usd: float


@dataclass(frozen=True, slots=True)
class StyleMoney:
    """One style of entry: `added` are windows that beliefs brought in, `dropped` those that they kept out.

    `gain` is with less without; its interval, over blocks of time, is None below five of them. `unpriced`: windows of
    either side whose payoff in this style is not known.
    """

    style: str
    with_beliefs: PaidWindows
    without: PaidWindows
    added: PaidWindows
    dropped: PaidWindows
    gain_usd: float
    gain_interval: tuple[float, float] | None
    unpriced: int


@dataclass(frozen=True, slots=True)
class BeliefMoney:
    """All styles, crossing first, by probes of `probe_usd`; `moved` are the windows in which a braid fired.

    `expected_usd` is what these gain over all draws, sum((pi - pi0) payoff) of crossing; `expected_se_usd` its standard
    error were windows independent, None below two.
    """

    probe_usd: float
    styles: tuple[StyleMoney, ...]
    moved: int
    expected_usd: float
    expected_se_usd: float | None


def published_without(events: Columns) -> Flags:
    """Return which SIGNAL_EVENTS would have been published without any braid, on their own draws."""
    _, pi0 = propensities(events)
    would: Flags = events["eligible"].astype(np.bool_) & (events["draw"].astype(np.float64) < pi0)
    return would


def propensities(events: Columns) -> tuple[Floats, Floats]:
    """Return the propensity of every event, and the one it would have had without any braid."""
    return events["pi"].astype(np.float64), 1.0 / (1.0 + np.exp(-events["u0"].astype(np.float64)))


def belief_money(events: Columns, payoffs: Mapping[EntryStyle, Floats], notional_usd: float) -> BeliefMoney:
    """Return what probes of `notional_usd` pay with and without beliefs.

    `events` are columns of SIGNAL_EVENTS [n]; `payoffs` net bps [n] by style, NaN where not known. Resting styles need
    one for published windows and for those of `published_without` alone.
    """
    is_eligible = events["eligible"].astype(np.bool_)
    taken, would = is_eligible & events["published"].astype(np.bool_), published_without(events)
    _, block = blocks_of(events["window_end_ms"].astype(np.int64))
    usd = {style: values * notional_usd / BPS for style, values in payoffs.items()}
    pi, pi0 = propensities(events)
    crossing = usd[EntryStyle.CROSS]
    moved = is_eligible & np.isfinite(crossing) & (events["fired"].astype(np.uint64) != 0)
    shift = (pi - pi0)[moved] * crossing[moved]
    error = float(np.sqrt(len(shift)) * shift.std(ddof=1)) if len(shift) > 1 else None
    styles = tuple(_style(style, usd[style], taken, would, block) for style in EntryStyle)
    return BeliefMoney(notional_usd, styles, len(shift), float(shift.sum()), error)


def _style(style: EntryStyle, usd: Floats, taken: Flags, would: Flags, block: NDArray[np.int64]) -> StyleMoney:
    is_known, either = np.isfinite(usd), taken | would
    both = either & is_known
    change = np.where(taken, usd, 0.0)[both] - np.where(would, usd, 0.0)[both]
    mean = interval(change, block[both])
    return StyleMoney(
        style=style.value,
        with_beliefs=_side(usd, taken & is_known),
        without=_side(usd, would & is_known),
        added=_side(usd, taken & ~would & is_known),
        dropped=_side(usd, would & ~taken & is_known),
        gain_usd=float(change.sum()),
        gain_interval=None if mean is None else (mean[0] * len(change), mean[1] * len(change)),
        unpriced=int((either & ~is_known).sum()),
    )


def _side(usd: Floats, chosen: Flags) -> PaidWindows:
    return PaidWindows(int(chosen.sum()), float(usd[chosen].sum()))
