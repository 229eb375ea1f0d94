"""P: the payoff of a probe under the modelled cost, for every window, published or not.

The probe is a unit position in the direction of the signal, marked from mid to mid, charged the spread seen at the
window's close, two taker fees and funding for the time it is open. It needs the tape alone. How a probe really fills
is `tape_fill`, which reads nothing of this.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def forward_return_bps(mid2_entry: NDArray[np.int64], mid2_exit: NDArray[np.int64]) -> Floats:
    """Return (exit / entry - 1) * 1e4 of the mids, in bps."""
    return (mid2_exit / mid2_entry - 1.0) * 1e4


def modelled_payoff_bps(
    direction: Floats, fwd_ret_bps: Floats, spread_bps: Floats, aligned_funding_bps_h: Floats, hours: float, fee: float
) -> Floats:
    """Return P = d r - spread - 2 fee - d funding hours, all in bps; `direction` is -1, 0 or 1, `fee` one side's.

    The spread at the close stands for one half on each side; `aligned_funding_bps_h` is d * funding, null counts 0.
    A window without direction has no probe: NaN.
    """
    funding = np.nan_to_num(aligned_funding_bps_h) * hours
    payoff = direction * fwd_ret_bps - spread_bps - 2.0 * fee - funding
    return np.where(direction == 0.0, np.nan, payoff)


def hit(direction: Floats, fwd_ret_bps: Floats) -> Floats:
    """Return 1 where the move went with the direction, 0 against it, one half for no move; NaN without direction."""
    return np.where(direction == 0.0, np.nan, 0.5 + 0.5 * np.sign(direction * fwd_ret_bps))


def excursions_bps(
    direction: Floats, mid2_entry: NDArray[np.int64], high: NDArray[np.int64], low: NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """Return (mfe >= 0, mae <= 0): the best and worst mark of the probe while open, in bps of the entry mid."""
    up, down = forward_return_bps(mid2_entry, high), forward_return_bps(mid2_entry, low)
    best = np.where(direction > 0.0, up, -down)
    worst = np.where(direction > 0.0, down, -up)
    none = direction == 0.0
    return np.where(none, np.nan, np.maximum(best, 0.0)), np.where(none, np.nan, np.minimum(worst, 0.0))
