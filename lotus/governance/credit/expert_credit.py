"""EXPERT_CREDIT: what each micro-expert was worth in the sampled six hours of the days of a week, by detector and coin.

A voter is masked: delta_sigma = median(Sigma with - Sigma without), value = sum (pi - pi')[P + (A/p)(Y - P)] in bps. An
expert of the bench is unmasked with the weight that it would come back with. On every tenth window the voters share
v(all) - v(none) by `shapley`. Sums are of the block: divided by its probability q they estimate the day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lotus.columns import Column, TableSpec
from lotus.governance.credit.masked import VotedWindows
from lotus.governance.credit.sampled_block import TENTH
from lotus.governance.credit.shapley import mean_and_variance, orders_of, shapley_lite
from lotus.hashing import round_learned

Floats = NDArray[np.float64]
Rows = dict[str, NDArray[np.generic]]

EXPERT_CREDIT: Final = TableSpec(
    "expert_credit",
    ("day", "detector_id", "asset", "expert_id"),
    (
        Column("day", "text", "", "learning day on which the windows matured"),
        Column("detector_id", "text", "", "detector"),
        Column("asset", "text", "", "coin"),
        Column("expert_id", "text", "", "micro-expert"),
        Column("block", "i2", "6 h", "the block that was drawn", low=0, high=3),
        Column("q", "f8", "1", "its probability", low=0, high=1),
        Column("votes", "?", "", "whether it votes; else it is on the bench and was unmasked"),
        Column("weight", "f8", "1", "weight of its z, of the bench when it comes back", low=0),
        Column("windows", "i8", "", "windows that may be published and whose payoff is known", low=1),
        Column("delta_sigma", "f8", "1", "median Sigma with it less Sigma without"),
        Column("value_bps", "f8", "bps", "what publishing with it paid more than without, over the block"),
        Column("shapley_bps", "f8", "bps", "its share of v(all) - v(none), over the block; null on the bench", True),
        Column("shapley_var", "f8", "bps^2", "variance of that over orders; null on the bench", True, 0),
    ),
)


@dataclass(frozen=True, slots=True, eq=False)
class CreditBlock:
    """The windows of one set of experts in the sampled block of a day, with detector, coin and end [n] of each.

    `close`: every tenth of them, on which voters share what all are worth.
    """

    day: str
    block: int
    q: float
    windows: VotedWindows
    detector: NDArray[np.object_]
    asset: NDArray[np.object_]
    close: NDArray[np.bool_]


def credit_of_block(one: CreditBlock, seed: str) -> Rows:
    """Return the rows of a block in key order; `seed` names the draw of the orders."""
    cells, place = _cells(one)
    windows, ballot = one.windows, one.windows.ballot
    llr, votes = windows.sums(ballot.speaks)
    shared = _shared(one, place, len(cells), seed)
    order = np.argsort(place, kind="stable")
    ends = np.searchsorted(place[order], np.arange(len(cells) + 1))
    made: list[tuple[Any, ...]] = []
    for k, name in enumerate(ballot.names):
        part, vote = windows.part(k)
        sign = 1.0 if ballot.speaks[k] else -1.0
        other = windows.propensity(llr - sign * part, votes - sign * vote)
        value = np.bincount(place, sign * windows.gained(windows.pi, other), len(cells))
        step = sign * windows.sigma_step(llr - sign * part)[order]
        for c, (detector, asset) in enumerate(cells):
            own = slice(ends[c], ends[c + 1])
            bps, variance = (float(v[k, c]) for v in shared) if ballot.speaks[k] else (np.nan, np.nan)
            sigma = float(np.median(step[own]))
            made.append((one.day, detector, asset, name, one.block, one.q, ballot.speaks[k], ballot.weights[k],
                         own.stop - own.start, sigma, float(value[c]), bps, variance))  # fmt: skip
    return _table(sorted(made))


def joined(tables: Sequence[Rows]) -> Rows:
    """Return the rows of many blocks in key order, those of one day and cell (two sets of experts in it) added up."""
    lines = [row for table in tables for row in zip(*(table[n].tolist() for n in EXPERT_CREDIT.names), strict=True)]
    by_key: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for line in lines:
        first = by_key.get(line[:4])
        by_key[line[:4]] = line if first is None else _added(first, line)
    return _table([by_key[key] for key in sorted(by_key)])


def _added(first: tuple[Any, ...], second: tuple[Any, ...]) -> tuple[Any, ...]:
    more, less = (first, second) if first[8] >= second[8] else (second, first)
    n = first[8] + second[8]
    sigma = (first[8] * first[9] + second[8] * second[9]) / n
    shapley = [sum(x for x in pair if x == x) for pair in zip(first[11:], second[11:], strict=True)]
    bench = more[11] != more[11] and less[11] != less[11]
    return (*more[:8], n, sigma, first[10] + second[10], *((np.nan, np.nan) if bench else shapley))


def _cells(one: CreditBlock) -> tuple[list[tuple[str, str]], NDArray[np.int64]]:
    pairs = list(zip(one.detector.tolist(), one.asset.tolist(), strict=True))
    cells = sorted(set(pairs))
    at = {cell: k for k, cell in enumerate(cells)}
    return cells, np.fromiter((at[p] for p in pairs), np.int64, len(pairs))


def _shared(one: CreditBlock, place: NDArray[np.int64], cells: int, seed: str) -> tuple[Floats, Floats]:
    """Return what voters share f8[experts, cells] and its variance, over the block."""
    windows, at, ballot = one.windows.taken(one.close), place[one.close], one.windows.ballot
    voters = [k for k, speaks in enumerate(ballot.speaks) if speaks]
    nobody = np.zeros(len(windows))

    def values(order: Sequence[int]) -> Floats:
        llr, votes, out = nobody.copy(), nobody.copy(), []
        for k in (None, *order):
            if k is not None:
                part, vote = windows.part(voters[k])
                llr, votes = llr + part, votes + vote
            out.append(np.bincount(at, windows.gained(windows.propensity(llr, votes), nobody), cells))
        return np.array(out)

    mean, variance = mean_and_variance(shapley_lite(len(voters), orders_of(len(voters), seed), values))
    whole = np.zeros((2, len(ballot.names), cells))
    whole[:, voters] = TENTH * mean, TENTH**2 * variance
    return whole[0], whole[1]


def _table(lines: Sequence[tuple[Any, ...]]) -> Rows:
    columns = list(zip(*lines, strict=True)) if lines else [()] * len(EXPERT_CREDIT.names)
    out = {
        name: np.array(values, dtype=EXPERT_CREDIT.numpy_dtype(name))
        for name, values in zip(EXPERT_CREDIT.names, columns, strict=True)
    }
    learned = ("delta_sigma", "value_bps", "shapley_bps", "shapley_var")
    return out | {name: round_learned(out[name].astype(np.float64)) for name in learned}


def daily(rows: Mapping[str, NDArray[np.generic]], days: Sequence[str], key: Sequence[str]) -> dict[Any, Floats]:
    """Return the estimated value of each day f8[days] by key (names of columns): block sums over q; 0 without rows."""
    at = {day: k for k, day in enumerate(days)}
    out: dict[Any, Floats] = {}
    names = list(zip(*(rows[name].tolist() for name in key), strict=True))
    worth = rows["value_bps"].astype(np.float64) / rows["q"].astype(np.float64)
    for name, day, value in zip(names, rows["day"].tolist(), worth.tolist(), strict=True):
        if day in at:
            out.setdefault(name, np.zeros(len(days)))[at[day]] += value
    return out
