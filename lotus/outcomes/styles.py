"""What scored windows would have paid in each style of entry, from tape alone: events in, payoffs of both bounds out.

The same windows, times and tape rule as `evaluate`; the life of an order is `passive`'s. Which style a window is tried
in, and what that teaches, is `lotus.knobs`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.entry_style import EntryPlan, EntryStyle, Fallback, wait_ms
from lotus.manifest import Manifest
from lotus.outcomes.evaluate import Columns, Table, asset_index, path_of, rows_named, touches
from lotus.outcomes.passive import (
    PassivePayoff,
    PassivePayoffs,
    PassiveTape,
    RestingProbes,
    RestingTerms,
    passive_payoffs,
    passive_tape,
)
from lotus.outcomes.signal_eval import OK
from lotus.timebase import NS_PER_MS


@dataclass(frozen=True, slots=True)
class StyleTape:
    """Columns of MICROTAPE_QUOTES and MICROTAPE_PRINTS, each asset in arrival order, and TAPE_GAPS of some tape."""

    quotes: Columns
    prints: Columns
    gaps: Columns


@dataclass(frozen=True, slots=True)
class EntryPlans:
    """How each of some windows is entered: arrays [n] of whether it improves and whether it is skipped unfilled."""

    improves: NDArray[np.bool_]
    skips: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class AssetTape:
    """One asset's tape as orders at rest meet it, and where it has gaps: their begins and ends in ms."""

    index: int
    tape: PassiveTape
    holes: tuple[NDArray[np.generic], NDArray[np.generic]]


def asset_tapes(tape: StyleTape, manifest: Manifest, until_ms: int) -> list[AssetTape]:
    """Return the tape of every asset, of what was received before `until_ms`."""
    quote_asset, print_asset, gap_asset = (
        asset_index(columns["asset"], manifest) for columns in (tape.quotes, tape.prints, tape.gaps)
    )
    received = np.asarray(tape.quotes["recv_ns"], dtype=np.int64) < until_ms * NS_PER_MS
    out = []
    for index, asset in enumerate(manifest.universe):
        chosen, own_gaps = (quote_asset == index) & received, gap_asset == index
        seq = np.asarray(tape.quotes["seq"], dtype=np.int64)[chosen]
        prints = {name: np.asarray(values)[print_asset == index] for name, values in tape.prints.items()}
        own = passive_tape(path_of(tape.quotes, chosen), seq, prints, asset.sz_decimals)
        holes = np.asarray(tape.gaps["start_ms"])[own_gaps], np.asarray(tape.gaps["end_ms"])[own_gaps]
        out.append(AssetTape(index, own, holes))
    return out


def resting_payoffs(
    events: Columns, tapes: Sequence[AssetTape], plans: EntryPlans, manifest: Manifest
) -> PassivePayoffs:
    """Return what windows pay that rest, and what they pay crossing at once, aligned with `events`.

    `events` are columns of SIGNAL_EVENTS. NaN: no direction, or the tape has a gap or an end before the last wait is
    over.
    """
    n = len(events["event_id"])
    low, high = (PassivePayoff(*(np.full(n, np.nan) for _ in range(3))) for _ in range(2))
    out = PassivePayoffs(low, high, np.full(n, np.nan), np.zeros(n, dtype=np.int64))
    probes, costs = _probes(events, plans, manifest), manifest.outcomes
    latency, limit = costs.latency_ms * NS_PER_MS, manifest.kernel.gap_ms * NS_PER_MS
    terms = RestingTerms(costs.taker_fee_bps, costs.maker_fee_bps, costs.probe_notional_usd, latency, limit)
    event_asset = asset_index(events["asset"], manifest)
    begins_ms = np.asarray(events["window_start_ms"], dtype=np.int64)
    for own in tapes:
        rows = np.flatnonzero((event_asset == own.index) & (probes.direction != 0))
        if not len(rows):
            continue
        paid = passive_payoffs(own.tape, probes.of(rows), terms)
        spoiled = touches(begins_ms[rows], paid.over_ms, *own.holes)
        for whole, bound in ((low, paid.low), (high, paid.high)):
            for name in ("payoff_bps", "rested", "held"):
                getattr(whole, name)[rows] = np.where(spoiled, np.nan, getattr(bound, name))
        out.crossed_bps[rows] = np.where(spoiled, np.nan, paid.crossed_bps)
        out.over_ms[rows] = paid.over_ms
    return out


def _probes(events: Columns, plans: EntryPlans, manifest: Manifest) -> RestingProbes:
    horizon_ms = np.asarray(events["horizon_s"], dtype=np.int64) * 1000
    entry_ns = np.asarray(events["close_recv_ns"], dtype=np.int64) + manifest.outcomes.latency_ms * NS_PER_MS
    waits = {int(h): wait_ms(int(h)) for h in np.unique(horizon_ms)}
    return RestingProbes(
        direction=np.sign(np.asarray(events["s"], dtype=np.float64)).astype(np.int64),
        entry_ns=entry_ns,
        exit_ns=entry_ns + horizon_ms * NS_PER_MS,
        wait_ns=np.array([waits[h] for h in horizon_ms.tolist()], dtype=np.int64).reshape(-1) * NS_PER_MS,
        improves=plans.improves,
        skips=plans.skips,
        funding_bps_h=np.asarray(events["x_funding"], dtype=np.float64),
    )


def declared(
    rows: Table, events: Columns, tape: StyleTape, plans: Mapping[str, EntryPlan], manifest: Manifest, until_ms: int
) -> Table:
    """Return SIGNAL_EVAL rows in which detectors that declare a resting entry are paid for it (the pessimistic fill).

    P and Y are then one number: how an order at rest is filled has no modelled cost beside the tape's. `events` hold
    the windows of `rows`; forward returns, hits and excursions stay the market's.
    """
    names = np.asarray(rows["detector_id"]).astype(str)
    resting = [d for d in np.unique(names).tolist() if plans.get(d, EntryPlan()).style is not EntryStyle.CROSS]
    chosen = np.flatnonzero(np.isin(names, resting) & (np.asarray(rows["status"]) == OK))
    if not len(chosen):
        return rows
    at = rows_named(np.asarray(rows["event_id"])[chosen], np.asarray(events["event_id"]))
    part = {name: np.asarray(values)[at] for name, values in events.items()}
    own = [plans[name] for name in names[chosen].tolist()]
    entries = EntryPlans(
        np.array([plan.style is EntryStyle.IMPROVE for plan in own]),
        np.array([plan.fallback is Fallback.SKIP for plan in own]),
    )
    low = resting_payoffs(part, asset_tapes(tape, manifest, until_ms), entries, manifest).low
    out = dict(rows)
    horizon = np.asarray(part["horizon_s"], dtype=np.int64)
    for name, own_rows in (("payoff_p", horizon > 0), *((f"payoff_p_{h}", horizon == h) for h in np.unique(horizon))):
        values = np.array(rows[name], dtype=np.float64)
        values[chosen[own_rows]] = low.payoff_bps[own_rows]
        out[name] = values
    published = np.asarray(part["published"], dtype=np.bool_)
    executed = np.array(rows["payoff_y"], dtype=np.float64)
    executed[chosen[published]] = low.payoff_bps[published]
    return out | {"payoff_y": executed}
