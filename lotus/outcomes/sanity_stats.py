"""How a number goes with the move that follows it: correlations, mean signed move and hit rate, with honest intervals.

Rows overlap (a 30 s move is seen every 200 ms) and signals persist, so rows are clustered into blocks of time: an
interval is the estimate plus and minus Student's t times the cluster-robust standard error of its influence values.
No random numbers. Nothing here knows frames or tables (see `sanity`).
(Literature: cluster-robust error, Liang and Zeger 1986; t with G - 1 degrees, Bester, Conley and Hansen 2011.)
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.outcomes import sanity_kernel as kernel
from lotus.outcomes.intervals import MIN_BLOCKS, reach
from lotus.outcomes.sanity_kernel import fill_ranks, relate, standardise

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its 95 % interval; ends are NaN below 5 blocks or without spread."""

    value: float
    low: float
    high: float
    error: float


@dataclass(frozen=True, slots=True)
class Relation:
    """One series against the move after it.

    `n` rows with both, `spoken` of them with x != 0, in `blocks` blocks; `n_eff` = variance of the signed move over its
    squared standard error, at most the number of disjoint moves spoken of: so many independent rows would tell as much.
    `pearson` and `spearman` of (x, y), `pearson_sign` of (sign x, y), over all rows. `mean` of sign(x) y in bps, `hit`
    = share of moves that went with the sign (no move counts one half), `spread` = mean spread in bps, over spoken rows.
    """

    n: int
    spoken: int
    blocks: int
    n_eff: float
    pearson: Interval
    pearson_sign: float
    spearman: float
    mean: Interval
    hit: Interval
    spread: float


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """What is known of some moves before any series is looked at, so that it is made once for all of them.

    y f8 [n] in bps; `standardised` and `ranked` f8 [n]: y and its ranks with mean 0 and variance 1, where they vary;
    block i8 [n] and slot i8 [n]: a row's block of time and its stretch of disjoint moves, from 0; spread f8 [n] in bps.
    """

    y: Floats
    varies: bool
    standardised: Floats
    ranks_vary: bool
    ranked: Floats
    block: Ints
    slot: Ints
    spread: Floats


def moves_of(y: Floats, block: Ints, slot: Ints, spread: Floats) -> Moves:
    """Return the moves y f8 [n], without nulls, ready for `relation`.

    `block` i8 [n] is the number of a row's block of time; moves of rows with different `slot` i8 [n] are disjoint.
    Memory grows with the distance of the first block and slot from the last.
    """
    standardised, ranked, room = y.copy(), np.empty(len(y)), np.empty(len(y))
    varies = standardise(standardised, len(y), room)
    fill_ranks(y, np.argsort(y), np.arange(len(y)), ranked)
    ranks_vary = standardise(ranked, len(y), room)
    return Moves(y, varies, standardised, ranks_vary, ranked, _from_0(block), _from_0(slot), spread)


@dataclass(frozen=True, slots=True, eq=False)
class Room:
    """What `relation` works in: made once for many series, for fresh memory costs more than the sums."""

    floats: Floats
    ints: Ints

    @staticmethod
    def of(rows: int, moves: Iterable[Moves]) -> "Room":
        """Return the room of series of so many rows and any of some moves."""
        most = max(rows, *(int(numbers.max(initial=0)) for m in moves for numbers in (m.block, m.slot))) + 1
        return Room(np.empty((7, most)), np.empty((4, most), np.int64))


def relation(x: Floats, order: Ints, rows: Ints, moves: Moves, room: Room) -> Relation:
    """Return the relation of the series x f8 [m], without nulls, to the moves of its `rows` i8 [n], each once.

    `order` i8 [m] sorts x.
    """
    facts, m = np.empty(kernel.N_FACTS), moves
    relate(
        x, order, rows, m.y, m.varies, m.standardised, m.ranks_vary, m.ranked, m.block, m.slot, m.spread, MIN_BLOCKS,
        room.floats, room.ints, facts,
    )  # fmt: skip
    mean = _around(*facts[[kernel.MEAN, kernel.MEAN_ERROR, kernel.SPOKEN_BLOCKS]].tolist())
    return Relation(
        n=int(facts[kernel.N]),
        spoken=int(facts[kernel.SPOKEN]),
        blocks=int(facts[kernel.BLOCKS]),
        n_eff=effective_n(facts[kernel.VARIANCE], mean.error, facts[kernel.SLOTS]),
        pearson=_correlated(*facts[[kernel.PEARSON, kernel.PEARSON_ERROR, kernel.BLOCKS]].tolist()),
        pearson_sign=float(facts[kernel.SIGN]),
        spearman=float(facts[kernel.SPEARMAN]),
        mean=mean,
        hit=_around(*facts[[kernel.HIT, kernel.HIT_ERROR, kernel.SPOKEN_BLOCKS]].tolist()),
        spread=float(facts[kernel.SPREAD]),
    )


def _around(mean: float, error: float, blocks: float) -> Interval:
    """Return a mean and its interval; error² = G/(G−1) Σ_g (Σ_{i in g} (v_i − mean))² / n² over G blocks."""
    half = reach(error, blocks)
    return Interval(mean, mean - half, mean + half, error if error > 0.0 else np.nan)


def _correlated(r: float, error: float, blocks: float) -> Interval:
    """Return the correlation r and its interval, made on the scale of artanh r so that it stays within [-1, 1].

    Influence of a row: zx zy − r (zx² + zy²)/2 with standardised zx, zy. NaN when x or y does not vary.
    """
    if not abs(r) < 1.0:
        return Interval(r, np.nan, np.nan, np.nan)
    half = reach(error, blocks)
    z, scale = float(np.arctanh(r)), 1.0 / (1.0 - r * r)
    ends = float(np.tanh(z - half * scale)), float(np.tanh(z + half * scale))
    return Interval(r, *ends, error if error > 0.0 else np.nan)


def _from_0(numbers: Ints) -> Ints:
    return numbers - numbers.min() if len(numbers) else numbers


def effective_n(variance: float, error: float, most: float) -> float:
    """Return variance / error², at most `most`; NaN without an error."""
    if not error > 0.0:
        return np.nan
    return min(float(variance) / (error * error), float(most))
