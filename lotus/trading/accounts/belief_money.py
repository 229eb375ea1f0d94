"""What beliefs changed in money: windows published with them and without them on the same draws, by style of entry.

A window's draw is one number, published where it lies below the propensity, so the days without beliefs are known
exactly. Probes of one size against the tape, after all costs; nothing was traded so. In a world whose truth is known a
third side is what it would have paid to act on the truth itself, as strongly as trust ever allows.
(Literature: paired comparison under common random numbers; regret against an oracle.)
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
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
SLACK: Final = 1e-9  # rounding of a propensity that is computed again


@dataclass(frozen=True, slots=True)
class PaidWindows:
    """Some windows and what their probes paid in all, USD."""

    windows: int
    usd: float


@dataclass(frozen=True, slots=True)
class StyleMoney:
    """One style of entry: `added` are windows that beliefs brought in, `dropped` those that they kept out.

    `gain` is with less without; its interval and that of `with_beliefs`, over blocks of time, are None below five of
    them. `unpriced`: windows of any side whose payoff in this style is not known. `if_known` is the side of the truth,
    None where it is not known.
    """

    style: str
    with_beliefs: PaidWindows
    without: PaidWindows
    added: PaidWindows
    dropped: PaidWindows
    gain_usd: float
    gain_interval: tuple[float, float] | None
    unpriced: int
    with_interval: tuple[float, float] | None
    if_known: PaidWindows | None


@dataclass(frozen=True, slots=True)
class KnownTruth:
    """Where a planted rule holds (`inside` bool [n]), and how it would act there: its tilt in logits, and the floor of
    the propensity under it; `epsilon` is the floor elsewhere.
    """

    inside: Flags
    tilt: float
    floor: float
    epsilon: float


@dataclass(frozen=True, slots=True)
class BeliefMoney:
    """All styles, crossing first, by probes of `probe_usd`; `moved` are the windows in which a braid fired.

    `where_true` are the same styles over the windows of planted rules alone, empty where the truth is not known.
    `expected_usd` is what these gain over all draws, sum((pi - pi0) payoff) of crossing; `expected_se_usd` its standard
    error were windows independent, None below two.
    """

    probe_usd: float
    styles: tuple[StyleMoney, ...]
    moved: int
    expected_usd: float
    expected_se_usd: float | None
    where_true: tuple[StyleMoney, ...] = ()


def published_without(events: Columns) -> Flags:
    """Return which SIGNAL_EVENTS would have been published without any braid, on their own draws."""
    _, pi0 = propensities(events)
    would: Flags = events["eligible"].astype(np.bool_) & (events["draw"].astype(np.float64) < pi0)
    return would


def published_if_known(events: Columns, truth: KnownTruth) -> Flags:
    """Return which SIGNAL_EVENTS would have been published, on their own draws, had the planted rules alone acted.

    A window whose detector is drawn at the floor, by its stage of life, has no score that could be tilted.
    """
    ln_sigma, tau, temperature = (events[name].astype(np.float64) for name in ("ln_sigma_0", "tau_pub", "temperature"))
    is_step = temperature <= 0.0
    z = (ln_sigma - np.log(tau)) / np.where(is_step, 1.0, temperature)
    _, pi0 = propensities(events)
    is_scored = np.abs(_held(z, truth.epsilon) - pi0) <= SLACK
    pi = np.where(truth.inside & is_scored & ~is_step, _held(z + truth.tilt, truth.floor), pi0)
    would: Flags = events["eligible"].astype(np.bool_) & (events["draw"].astype(np.float64) < pi)
    return would


def _held(u: Floats, floor: float) -> Floats:
    """Return the logistic of `u`, no nearer than `floor` to 0 and 1."""
    return np.clip(1.0 / (1.0 + np.exp(-u)), floor, 1.0 - floor)


def propensities(events: Columns) -> tuple[Floats, Floats]:
    """Return the propensity of every event, and the one it would have had without any braid."""
    return events["pi"].astype(np.float64), 1.0 / (1.0 + np.exp(-events["u0"].astype(np.float64)))


def belief_money(
    events: Columns, payoffs: Mapping[EntryStyle, Floats], notional_usd: float, truth: KnownTruth | None = None
) -> BeliefMoney:
    """Return what probes of `notional_usd` pay with and without beliefs, and with the `truth` where it is known.

    `events` are columns of SIGNAL_EVENTS [n]; `payoffs` net bps [n] by style, crossing among them, NaN where not known;
    its styles are those of the answer. Resting styles need one for published windows and for those of
    `published_without` and `published_if_known` alone.
    """
    is_eligible = events["eligible"].astype(np.bool_)
    taken, would = is_eligible & events["published"].astype(np.bool_), published_without(events)
    of_truth = None if truth is None else published_if_known(events, truth)
    _, block = blocks_of(events["window_end_ms"].astype(np.int64))
    usd = {style: values * notional_usd / BPS for style, values in payoffs.items()}
    pi, pi0 = propensities(events)
    crossing = usd[EntryStyle.CROSS]
    moved = is_eligible & np.isfinite(crossing) & (events["fired"].astype(np.uint64) != 0)
    shift = (pi - pi0)[moved] * crossing[moved]
    error = float(np.sqrt(len(shift)) * shift.std(ddof=1)) if len(shift) > 1 else None
    sides = _Sides(taken, would, of_truth, block)
    styles = tuple(_style(style, usd[style], sides) for style in payoffs)
    where_true = () if truth is None else tuple(_style(style, usd[style], sides.inside(truth)) for style in payoffs)
    return BeliefMoney(notional_usd, styles, len(shift), float(shift.sum()), error, where_true)


@dataclass(frozen=True, slots=True)
class _Sides:
    """Windows published with beliefs, without them and with the truth (None: not known), and their block of time."""

    taken: Flags
    would: Flags
    of_truth: Flags | None
    block: NDArray[np.int64]

    def inside(self, truth: KnownTruth) -> "_Sides":
        """Return those of the windows in which a planted rule holds."""
        of_truth = None if self.of_truth is None else self.of_truth & truth.inside
        return replace(self, taken=self.taken & truth.inside, would=self.would & truth.inside, of_truth=of_truth)


def _style(style: EntryStyle, usd: Floats, sides: _Sides) -> StyleMoney:
    taken, would, of_truth = sides.taken, sides.would, sides.of_truth
    is_priced, either = np.isfinite(usd), taken | would
    both = either & is_priced
    change = np.where(taken, usd, 0.0)[both] - np.where(would, usd, 0.0)[both]
    paid = taken & is_priced
    return StyleMoney(
        style=style.value,
        with_beliefs=_side(usd, paid),
        without=_side(usd, would & is_priced),
        added=_side(usd, taken & ~would & is_priced),
        dropped=_side(usd, would & ~taken & is_priced),
        gain_usd=float(change.sum()),
        gain_interval=_of_sum(change, sides.block[both]),
        unpriced=int(((either if of_truth is None else either | of_truth) & ~is_priced).sum()),
        with_interval=_of_sum(usd[paid], sides.block[paid]),
        if_known=None if of_truth is None else _side(usd, of_truth & is_priced),
    )


def _side(usd: Floats, chosen: Flags) -> PaidWindows:
    return PaidWindows(int(chosen.sum()), float(usd[chosen].sum()))


def _of_sum(usd: Floats, block: NDArray[np.int64]) -> tuple[float, float] | None:
    """Return the interval of a sum of windows."""
    mean = interval(usd, block)
    return None if mean is None else (mean[0] * len(usd), mean[1] * len(usd))
