"""The divergence expert: a new extreme of price on a weaker RSI, counted only when book and tape agree with the turn.

RSI after Wilder with exponential means of gains and losses of frame returns. One kernel and its two helpers.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus.experts.fsm import BREAK, CONFIRM, FIRED, IDLE, QUIET, TRIGGER, advance, signed_volume, to_idle
from lotus.jit import kernel
from lotus.microtape import frame_spec as f


@kernel
def rsi_divergence(m: Any, swings: Any, p: Any, row: NDArray[np.float64]) -> float:
    """Return z of the turn; NaN without inputs."""
    mid, ret, imb, volume = row[f.C_MID], row[f.C_RET], row[f.C_IMB_5], signed_volume(row)
    if not (ret == ret and imb == imb and volume == volume):
        m.flow = 0.0
        return to_idle(m)
    m.flow = p.decay * m.flow + volume
    rsi = next_rsi(swings, p.decay, ret)
    weaker_high = next_swing(swings, 0, 1.0, mid, rsi, p.gap_n, p.memory_n)
    weaker_low = next_swing(swings, 1, -1.0, mid, rsi, p.gap_n, p.memory_n)
    symbol = QUIET
    if max(weaker_high, weaker_low) >= p.weaker_rsi:
        symbol = TRIGGER if m.node != FIRED else QUIET
        if symbol == TRIGGER:
            m.dir = -1.0 if weaker_high >= weaker_low else 1.0
            m.ref = mid
            m.strength = min(1.0, max(weaker_high, weaker_low) / p.full_rsi)
    elif m.node != IDLE:
        if -m.dir * 1e4 * (mid - m.ref) / m.ref > p.break_bps:
            symbol = BREAK
        elif m.dir * imb >= p.imb_min and m.dir * m.flow >= p.flow_min:
            symbol = CONFIRM
    advance(m, p.fsm, symbol)
    return float(m.dir * m.strength * p.fsm.llr[m.node])


@kernel
def next_rsi(swings: Any, decay: float, ret: float) -> float:
    """Return the RSI in points after one more return, 50 before any move."""
    swings.gain = decay * swings.gain + max(ret, 0.0)
    swings.loss = decay * swings.loss + max(-ret, 0.0)
    both = swings.gain + swings.loss
    return 100.0 * swings.gain / both if both > 0.0 else 50.0


@kernel
def next_swing(swings: Any, k: int, side: float, mid: float, rsi: float, gap_n: float, memory_n: float) -> float:
    """Return by how many points the RSI of a new extreme is weaker than that of the one before; 0 when there is none.

    k = 0, side +1: highs; k = 1, side -1: lows. The extreme moves with the price; one closer than `gap_n` frames is
    the same swing and one older than `memory_n` is forgotten.
    """
    weaker = 0.0
    swings.age[k] += 1.0
    price = swings.price[k]
    known = price == price and swings.age[k] <= memory_n
    if known and side * (mid - price) <= 0.0:
        return weaker
    if known and swings.age[k] >= gap_n:
        weaker = max(side * (swings.rsi[k] - rsi), 0.0)
    if not known or weaker > 0.0 or swings.age[k] >= gap_n or side * (rsi - swings.rsi[k]) > 0.0:
        swings.rsi[k] = rsi
    swings.price[k] = mid
    swings.age[k] = 0.0
    return weaker
