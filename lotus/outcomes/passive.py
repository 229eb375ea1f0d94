"""The payoff of a probe that rests: filled by the tape's prints, or crossed when its wait is over, and left so too.

The fill is `passive_kernel`'s, what crosses is `tape_fill`'s; nothing of the modelled cost is read. An entry waits a
quarter of the horizon, 20 s at most, then crosses or is skipped; the exit rests at the end of the horizon and always
crosses in the end. What is sent when a wait is over arrives a latency later, and until then the order still stands.
Low is the pessimistic fill, high the optimistic one; neither need be the better payoff, for who is filled sooner may be
filled because the market goes against him. In the literature: implementation shortfall with non-execution, adverse
selection.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.outcomes.passive_kernel import ORDER, rest_orders
from lotus.outcomes.path import QuotePath, first_quote
from lotus.outcomes.tape_fill import MAX_MULTIPLES, TopOfBook, executed_payoff_bps, lots_of, tick_units, walk
from lotus.timebase import HOUR_MS, NS_PER_MS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
_NS_PER_HOUR = HOUR_MS * NS_PER_MS


@dataclass(frozen=True, slots=True)
class PassiveTape:
    """Quotes and prints of one asset in one order; `rows` [q, 6], `newest_ms`, `after` and `prints` as the kernel reads
    them (`passive_kernel.rest_orders`)."""

    quotes: QuotePath
    rows: Ints
    newest_ms: Ints
    after: Ints
    prints: Ints
    sz_decimals: int


def passive_tape(
    quotes: QuotePath, quote_seq: Ints, prints: Mapping[str, NDArray[np.generic]], sz_decimals: int
) -> PassiveTape:
    """Return quotes (`quote_seq`: their line numbers) and columns of MICROTAPE_PRINTS of one asset in one order."""
    names = ("recv_ns", "time_ms", "px", "sz", "side")
    rows = np.stack([np.asarray(prints[name], dtype=np.int64) for name in names], axis=1)
    n, m = len(quotes.recv_ns), len(rows)
    received = np.concatenate([quotes.recv_ns, rows[:, 0]])
    order = np.lexsort((np.concatenate([quote_seq, np.asarray(prints["seq"], dtype=np.int64)]), received))
    is_print = order >= n
    after = np.append(np.cumsum(is_print)[~is_print], m).astype(np.int64)
    newest = np.maximum.accumulate(np.append(np.int64(0), rows[:, 1]))[after[:-1]]
    newest = np.maximum(np.maximum.accumulate(quotes.time_ms), newest)
    q = quotes
    quote_rows = np.stack([q.recv_ns, q.time_ms, q.bid_px, q.bid_sz, q.ask_px, q.ask_sz], axis=1)
    return PassiveTape(quotes, quote_rows, newest, after, rows[order[is_print] - n], sz_decimals)


@dataclass(frozen=True, slots=True)
class RestingProbes:
    """Probes of one asset that rest: arrays [n]. Times are receive stamps in ns; `direction` is -1 or 1.

    `entry_ns`, `exit_ns`: from when the order of each end may arrive; `wait_ns`: how long each waits at most;
    `improves`, `skips` (nothing is crossed at the entry): flags; `funding_bps_h` is paid per hour, null counts 0.
    """

    direction: Ints
    entry_ns: Ints
    exit_ns: Ints
    wait_ns: Ints
    improves: Flags
    skips: Flags
    funding_bps_h: Floats

    def of(self, rows: NDArray[np.generic]) -> "RestingProbes":
        """Return some of the probes."""
        return RestingProbes(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


@dataclass(frozen=True, slots=True)
class RestingTerms:
    """What all probes share: fees in bps of each side, notional in USD, latency and gap limit in ns."""

    taker_fee_bps: float
    maker_fee_bps: float
    notional_usd: float
    latency_ns: int
    limit_ns: int


@dataclass(frozen=True, slots=True)
class Rested:
    """One bound of what orders at rest came to: lots, their cost (price times lots), receive stamp of the last fill."""

    lots: Ints
    cost: Ints
    filled_ns: Ints


@dataclass(frozen=True, slots=True)
class PassivePayoff:
    """One bound of the probes: payoff in bps of the planned entry value, shares [0, 1] of it that rested and were held.

    NaN where the tape does not reach to the end of a wait.
    """

    payoff_bps: Floats
    rested: Floats
    held: Floats


@dataclass(frozen=True, slots=True)
class PassivePayoffs:
    """Both bounds, what crossing at once pays, and the venue time of the last quote that was read (0: beyond the tape).

    What crosses is the same probe, bit for bit that of `tape_fill`.
    """

    low: PassivePayoff
    high: PassivePayoff
    crossed_bps: Floats
    over_ms: Ints


def passive_payoffs(tape: PassiveTape, probes: RestingProbes, terms: RestingTerms) -> PassivePayoffs:
    """Return what resting probes of one asset pay, by the pessimistic and by the optimistic fill."""
    stamps, limit, late = tape.quotes.recv_ns, terms.limit_ns, probes.wait_ns + terms.latency_ns
    targets = (probes.entry_ns, probes.entry_ns + late, probes.exit_ns, probes.exit_ns + late)
    places = np.stack([first_quote(stamps, target, limit) for target in targets], axis=1).reshape(-1, 4)
    whole = np.flatnonzero(np.all(places >= 0, axis=1))
    n, places, own = len(places), places[whole], probes.of(whole)
    px, _ = _top(tape, places[:, 0]).side(own.direction > 0)
    planned = lots_of(px, terms.notional_usd, tape.sz_decimals)
    bounds = []
    entered = rest(tape, places[:, :2], own.direction, own.improves, (planned, planned), terms.latency_ns)
    opened = [_end(tape, places[:, 1], own.direction, part, planned, ~own.skips, terms) for part in entered]
    held = (opened[0].lots, opened[1].lots)
    left = rest(tape, places[:, 2:], -own.direction, own.improves, held, terms.latency_ns)
    for entry, rested, out in zip(opened, entered, left, strict=True):
        closed = _end(tape, places[:, 3], -own.direction, out, entry.lots, None, terms)
        payoff = _payoff(entry, closed, own, planned)
        bounds.append(
            PassivePayoff(*(_spread(n, whole, v) for v in (payoff, rested.lots / planned, entry.lots / planned)))
        )
    crossed = executed_payoff_bps(
        own.direction.astype(np.float64),
        _top(tape, places[:, 0]),
        _top(tape, places[:, 2]),
        own.funding_bps_h,
        sz_decimals=tape.sz_decimals,
        notional_usd=terms.notional_usd,
        fee_bps=terms.taker_fee_bps,
    )
    over = np.zeros(n, dtype=np.int64)
    over[whole] = tape.quotes.time_ms[places[:, 3]]
    return PassivePayoffs(bounds[0], bounds[1], _spread(n, whole, crossed), over)


def rest(
    tape: PassiveTape, ends: Ints, side: Ints, improves: Flags, lots: tuple[Ints, Ints], latency_ns: int
) -> tuple[Rested, Rested]:
    """Return both bounds (low, high) of orders at rest: `lots` are wanted under each.

    `ends` [n, 2]: the quotes with which each arrives and is over.
    """
    orders = np.zeros(len(side), ORDER)
    orders["side"], orders["improves"], orders["left_low"], orders["left_high"] = side, improves, *lots
    terms = (latency_ns, 6 - tape.sz_decimals)
    ends = np.ascontiguousarray(ends)
    rest_orders(orders, ends, tape.rows, tape.newest_ms, tape.after, tape.prints, terms)
    low, high = (
        Rested(wanted - orders[f"left_{name}"], orders[f"cost_{name}"].copy(), orders[f"filled_{name}_ns"].copy())
        for name, wanted in (("low", lots[0]), ("high", lots[1]))
    )
    return low, high


@dataclass(frozen=True, slots=True)
class _End:
    """One end of the probes: lots, their value (price units times lots), fees (bps times value), when it was over."""

    lots: Ints
    value: Floats
    fees: Floats
    over_ns: Ints


def _end(
    tape: PassiveTape,
    at: Ints,
    side: Ints,
    rested: Rested,
    wanted: Ints,
    crosses: Flags | None,
    terms: RestingTerms,
) -> _End:
    """Return an end after its fallback at the quotes `at`: the rest is taken where it `crosses` (None: it must).

    What would go through more than the book's limit is not taken, unless it must.
    """
    buying = side > 0
    px, top = _top(tape, at).side(buying)
    rest_lots = np.maximum(wanted - rested.lots, 1)
    paid, multiples = walk(px, top, rest_lots, tick_units(px, 6 - tape.sz_decimals), buying)
    goes = np.True_ if crosses is None else crosses & (top > 0) & (multiples <= MAX_MULTIPLES)
    taken = np.where(goes, wanted - rested.lots, 0)
    crossed = taken * paid
    fees = terms.maker_fee_bps * rested.cost + terms.taker_fee_bps * crossed
    over = np.where(taken > 0, tape.quotes.recv_ns[at], rested.filled_ns)
    return _End(rested.lots + taken, rested.cost + crossed, fees, over)


def _payoff(entry: _End, closed: _End, probes: RestingProbes, planned: Ints) -> Floats:
    held = np.maximum(entry.lots, 1)
    base = np.where(entry.lots > 0, entry.value, 1.0) / held * planned
    hours = closed.over_ns // _NS_PER_HOUR - entry.over_ns // _NS_PER_HOUR
    gross = probes.direction * (closed.value - entry.value) * 1e4
    funding = np.nan_to_num(probes.funding_bps_h) * hours * (entry.lots / planned)
    return np.where(entry.lots > 0, (gross - entry.fees - closed.fees) / base - funding, 0.0)


def _top(tape: PassiveTape, at: Ints) -> TopOfBook:
    q = tape.quotes
    return TopOfBook(q.recv_ns[at], q.bid_px[at], q.bid_sz[at], q.ask_px[at], q.ask_sz[at])


def _spread(n: int, rows: Ints, values: Floats) -> Floats:
    out = np.full(n, np.nan)
    out[rows] = values
    return out
