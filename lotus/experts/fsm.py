"""Experts that are timed state machines: sweep-then-stall, absorption, depth vacuum.

Each has predicates that turn a frame into a symbol; the table of its spec moves the node. A symbol that leads nowhere
leaves the node to its time limit. Kernels return z (signed log-likelihood ratio) or NaN for a frame without inputs,
which also sends the machine back to idle. Finite-state pattern machines; nothing else belongs here.
"""

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lotus.jit import kernel
from lotus.microtape import frame_spec as f

QUIET, TRIGGER, CONFIRM, BREAK, TIMEOUT = 0, 1, 2, 3, 4
IDLE: Final[int] = 0
ARMED: Final[int] = 1
FIRED: Final[int] = 2
VOLUME_CAP: Final[float] = 10.0  # one huge print must not speak for seconds

Row = NDArray[np.float64]


@kernel
def advance(m: Any, table: Any, symbol: int) -> None:
    """Move the machine by one symbol, else by its time limit."""
    m.age += 1
    node = m.node
    nxt = table.table[node, symbol]
    if nxt == node and table.limit[node] > 0 and m.age >= table.limit[node]:
        nxt = table.table[node, TIMEOUT]
    if nxt != node or symbol == TRIGGER:
        m.age = 0
    m.node = nxt


@kernel
def to_idle(m: Any) -> float:
    """Forget the pattern; return the null that a frame without inputs gives."""
    m.node, m.age, m.dir, m.strength = IDLE, 0, 0.0, 0.0
    return math.nan


@kernel
def signed_volume(row: Row) -> float:
    """Return aggressor imbalance times relative volume (at most VOLUME_CAP medians), 0 without trades."""
    if not row[f.C_TRADE_N] > 0.0:
        return 0.0
    volume = row[f.C_VOL_REL]
    return float(row[f.C_AGGR] * (VOLUME_CAP if volume > VOLUME_CAP else volume))


@kernel
def sweep_stall(m: Any, p: Any, row: Row) -> float:
    """Return z against a sweep that stopped while the best sizes lean against it."""
    mid, imb = row[f.C_MID], row[f.C_IMB_1]
    if not (mid == mid and imb == imb):
        return to_idle(m)
    symbol, sweep = QUIET, row[f.C_SWEEP]
    progress = m.dir * 1e4 * (mid - m.ref) / m.ref if m.node != IDLE else 0.0
    if sweep != 0.0 and not (m.node == FIRED and sweep == -m.dir):
        symbol = TRIGGER
        m.dir, m.ref, m.strength = sweep, mid, 1.0
    elif progress > p.extend_bps:
        symbol = BREAK
    elif progress <= p.stall_bps and m.age + 1 >= p.stall_n and -m.dir * imb >= p.imb_min:
        symbol = CONFIRM
        m.strength = min(1.0, -m.dir * imb)
    advance(m, p.fsm, symbol)
    return float(-m.dir * m.strength * p.fsm.llr[m.node])


@kernel
def absorption(m: Any, p: Any, row: Row) -> float:
    """Return z against aggressors whose decayed volume does not move the price."""
    ret, volume = row[f.C_RET], signed_volume(row)
    if not (ret == ret and volume == volume):
        m.flow, m.move = 0.0, 0.0
        return to_idle(m)
    m.flow = p.decay * m.flow + volume
    m.move = p.decay * m.move + ret
    side = 1.0 if m.flow > 0.0 else -1.0
    standing = abs(m.flow) >= p.flow_min and side * m.move <= p.stand_bps
    symbol = QUIET
    if m.node == IDLE:
        if standing:
            symbol = TRIGGER
            m.dir = side
    elif side != m.dir or m.dir * m.move > p.break_bps:
        symbol = BREAK
    elif standing and m.age + 1 >= p.hold_n:
        symbol = CONFIRM
    m.strength = min(1.0, abs(m.flow) / (2.0 * p.flow_min))
    advance(m, p.fsm, symbol)
    return float(-m.dir * m.strength * p.fsm.llr[m.node])


@kernel
def depth_vacuum(m: Any, p: Any, row: Row) -> float:
    """Return z into the side of the book that was withdrawn."""
    imb, touch, cancel, ret = row[f.C_IMB_5], row[f.C_IMB_1], row[f.C_CANCEL], row[f.C_RET]
    if not (imb == imb and touch == touch and ret == ret):
        return to_idle(m)
    symbol = QUIET
    if m.node == IDLE:
        if abs(imb) >= p.imb_min and cancel >= p.cancel_min:
            symbol = TRIGGER
            m.dir = 1.0 if imb > 0.0 else -1.0
    elif m.dir * imb <= 0.0:
        symbol = BREAK
    elif m.dir * touch >= p.touch_min and m.dir * ret >= 0.0:
        symbol = CONFIRM
    m.strength = min(1.0, abs(imb))
    advance(m, p.fsm, symbol)
    return float(m.dir * m.strength * p.fsm.llr[m.node])
