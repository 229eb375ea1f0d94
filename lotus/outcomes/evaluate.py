"""Outcomes of scored windows: probes P and Y, forward returns and excursions at every horizon of the manifest.

A window enters at the first quote received a latency after the message that closed it and leaves the same way after
each horizon. Whether it counts is decided by the tape alone, the same for published and unpublished windows: any gap
of its asset between the window's start and the exit of the longest horizon, or no quote within the gap limit of any
of its times (the end of a session), makes it `gap`. Learning from outcomes does not belong here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.columns import ranks_of, repeated
from lotus.errors import SchemaError
from lotus.manifest import Asset, Manifest
from lotus.outcomes.path import QuotePath, extremes, first_quote
from lotus.outcomes.probe import excursions_bps, forward_return_bps, hit, modelled_payoff_bps
from lotus.outcomes.signal_eval import GAP, OK, UNMATURED
from lotus.outcomes.tape_fill import FILL_SOURCE, TopOfBook, executed_payoff_bps
from lotus.timebase import NS_PER_MS, day_start_ms, next_day

Columns = Mapping[str, NDArray[np.generic]]
Table = dict[str, NDArray[np.generic]]
_FOREVER_MS = 2**43


@dataclass(frozen=True, slots=True)
class _Visit:
    """Where the probes of some events of one asset meet its quotes: entry [n], exits [n, h]; -1 = nowhere."""

    quotes: QuotePath
    entry: NDArray[np.int64]
    exits: NDArray[np.int64]
    high: NDArray[np.int64]
    low: NDArray[np.int64]
    whole: NDArray[np.bool_]


def mature(events: Columns, quotes: Columns, gaps: Columns, manifest: Manifest, day: str) -> Table:
    """Return SIGNAL_EVAL of `day`: the events of day-1 and `day` whose longest horizon matures on it, in key order.

    Only quotes received before the day's end are read, so a later tape changes nothing.
    """
    start, end = day_start_ms(day), day_start_ms(next_day(day))
    maturity = maturity_ms(events, manifest)
    due = (maturity >= start) & (maturity < end)
    chosen = {name: np.asarray(values)[due] for name, values in events.items()}
    return evaluate(chosen, quotes, gaps, manifest, until_ms=end)


def maturity_ms(events: Columns, manifest: Manifest) -> NDArray[np.int64]:
    """Return window end + the longest horizon, in ms."""
    longest = max(manifest.outcomes.horizons_s) * 1000
    return np.asarray(events["window_end_ms"], dtype=np.int64) + longest


def evaluate(events: Columns, quotes: Columns, gaps: Columns, manifest: Manifest, until_ms: int = _FOREVER_MS) -> Table:
    """Return SIGNAL_EVAL of every event, sorted by (window_end_ms, asset, detector_id).

    `events`: columns of SIGNAL_EVENTS; `quotes`: of MICROTAPE_QUOTES, each asset in arrival order; `gaps`: of
    TAPE_GAPS. `asset` may be a name or an index of the universe. Events that mature at or after
    `until_ms` are `unmatured`. Raises `SchemaError` for an unknown asset or a horizon the manifest does not evaluate.
    """
    events = _in_key_order(events)
    out = _blank(events, manifest)
    event_asset = asset_index(events["asset"], manifest)
    quote_asset = asset_index(quotes["asset"], manifest)
    gap_asset = asset_index(gaps["asset"], manifest)
    matured = maturity_ms(events, manifest) < until_ms
    received = np.asarray(quotes["recv_ns"], dtype=np.int64) < until_ms * NS_PER_MS
    for index, asset in enumerate(manifest.universe):
        rows = np.flatnonzero((event_asset == index) & matured)
        if not len(rows):
            continue
        path = path_of(quotes, (quote_asset == index) & received)
        own_gaps = gap_asset == index
        holes = np.asarray(gaps["start_ms"])[own_gaps], np.asarray(gaps["end_ms"])[own_gaps]
        part = {name: np.asarray(events[name])[rows] for name in _USED}
        visit = _visit(part, path, holes, manifest)
        _fill(out, rows[visit.whole], {n: v[visit.whole] for n, v in part.items()}, visit, manifest, asset)
        out["status"][rows] = np.array([GAP, OK], dtype=object)[visit.whole.astype(np.int64)]
    return out


_USED = ("window_start_ms", "window_end_ms", "close_recv_ns", "horizon_s", "s", "spread_bps", "x_funding", "published")


def _in_key_order(events: Columns) -> Table:
    ranks = [ranks_of(np.asarray(events[name])) for name in ("detector_id", "asset")]
    order = np.lexsort((*ranks, np.asarray(events["window_end_ms"])))
    needed = {*_USED, "event_id", "detector_id", "asset"}
    return {name: np.asarray(values)[order] for name, values in events.items() if name in needed}


def _blank(events: Columns, manifest: Manifest) -> Table:
    n = len(events["event_id"])
    unknown = set(np.unique(events["horizon_s"]).tolist()) - set(manifest.outcomes.horizons_s)
    if unknown:
        wanted = f"one of {manifest.outcomes.horizons_s}"
        raise SchemaError(f"events decide on horizons {sorted(unknown)} s", wanted, "horizons_s of the manifest")
    out: Table = {name: events[name] for name in ("event_id", "detector_id", "asset")}
    out["window_end_ms"] = np.asarray(events["window_end_ms"], dtype=np.int64)
    out["maturity_ms"] = maturity_ms(events, manifest)
    out["horizon_s"] = np.asarray(events["horizon_s"], dtype=np.int32)
    for h in manifest.outcomes.horizons_s:
        for name in (f"fwd_ret_bps_{h}", f"payoff_p_{h}", f"hit_{h}", f"mfe_{h}", f"mae_{h}"):
            out[name] = np.full(n, np.nan)
    for name in ("hit", "payoff_p", "payoff_y"):
        out[name] = np.full(n, np.nan)
    out["fill_source"] = repeated("", n)
    out["status"] = repeated(UNMATURED, n)
    return out


def asset_index(assets: NDArray[np.generic], manifest: Manifest) -> NDArray[np.int64]:
    """Return the place in the universe of names or of places; raises `SchemaError` for an unknown name."""
    values = np.asarray(assets)
    if values.dtype.kind in "iu":
        return values.astype(np.int64)
    index = np.full(len(values), -1, dtype=np.int64)
    for i, asset in enumerate(manifest.universe):
        index[values == asset.name] = i
    if np.any(index < 0):
        raise SchemaError(f"asset {values[index < 0][0]!r} is not in the universe", "a name of the manifest")
    return index


def rows_named(wanted: NDArray[np.generic], keys: NDArray[np.generic]) -> NDArray[np.int64]:
    """Return where names stand among `keys`, i8 [n]; raises `SchemaError` for one that is not there."""
    place = dict(zip(keys.tolist(), range(len(keys)), strict=True))
    rows = np.fromiter((place.get(name, -1) for name in wanted.tolist()), np.int64, len(wanted))
    if np.any(rows < 0):
        raise SchemaError(f"no window {wanted[rows < 0][0]}", "the windows of signal_events", "a pruned lake")
    return rows


def path_of(quotes: Columns, own_rows: NDArray[np.bool_]) -> QuotePath:
    """Return the quotes of one asset; raises `SchemaError` where they go back in receive time."""
    names = ("recv_ns", "time_ms", "bid_px", "bid_sz", "ask_px", "ask_sz")
    columns = [np.asarray(quotes[name], dtype=np.int64)[own_rows] for name in names]
    if np.any(np.diff(columns[0]) < 0):
        raise SchemaError("quotes of one asset go back in receive time", "arrival order")
    return QuotePath(*columns)


def _visit(
    part: Columns, path: QuotePath, holes: tuple[NDArray[np.generic], NDArray[np.generic]], manifest: Manifest
) -> _Visit:
    """Find entry, exits and extremes once per distinct window, then hand them to every event of the window."""
    _, first, back = np.unique(part["window_end_ms"], return_index=True, return_inverse=True)
    close = np.asarray(part["close_recv_ns"], dtype=np.int64)[first]
    if np.any(np.diff(close) < 0):
        raise SchemaError("windows of one asset close out of order", "receive times that rise with window_end_ms")
    latency, limit = manifest.outcomes.latency_ms * NS_PER_MS, manifest.kernel.gap_ms * NS_PER_MS
    entry = first_quote(path.recv_ns, close + latency, limit)
    targets = [close + latency + h * 1000 * NS_PER_MS for h in manifest.outcomes.horizons_s]
    exits = np.stack([first_quote(path.recv_ns, target, limit) for target in targets], axis=1)
    whole = (entry >= 0) & np.all(exits >= 0, axis=1)
    start_ms = np.asarray(part["window_start_ms"], dtype=np.int64)[first]
    end_ms = np.zeros(len(first), dtype=np.int64)
    if whole.any():
        end_ms[whole] = path.time_ms[exits[whole].max(axis=1)]
    whole &= ~touches(start_ms, end_ms, *holes)
    high, low = np.zeros_like(exits), np.zeros_like(exits)
    for k in range(len(targets)):
        high[whole, k], low[whole, k] = extremes(path.mid2, entry[whole], exits[whole, k])
    return _Visit(quotes=path, entry=entry[back], exits=exits[back], high=high[back], low=low[back], whole=whole[back])


def touches(
    start_ms: NDArray[np.int64], end_ms: NDArray[np.int64], gap_start: NDArray[np.generic], gap_end: NDArray[np.generic]
) -> NDArray[np.bool_]:
    """Return which intervals meet the inside of a gap."""
    if not len(gap_start):
        return np.zeros(len(start_ms), dtype=np.bool_)
    order = np.argsort(gap_start, kind="stable")
    begins = np.asarray(gap_start, dtype=np.int64)[order]
    reach = np.maximum.accumulate(np.asarray(gap_end, dtype=np.int64)[order])
    before_end = np.searchsorted(begins, end_ms, side="left")
    return (before_end > 0) & (reach[np.maximum(before_end - 1, 0)] > start_ms)


def _fill(
    out: Table,
    rows: NDArray[np.int64],
    part: Columns,
    visit: _Visit,
    manifest: Manifest,
    asset: Asset,
) -> None:
    costs, quotes, keep = manifest.outcomes, visit.quotes, visit.whole
    direction = np.sign(np.asarray(part["s"], dtype=np.float64))
    spread = np.asarray(part["spread_bps"], dtype=np.float64)
    funding = np.asarray(part["x_funding"], dtype=np.float64)
    entry, decision = visit.entry[keep], np.asarray(part["horizon_s"])
    at_entry = quotes.mid2[entry]
    for k, h in enumerate(costs.horizons_s):
        leave = visit.exits[keep, k]
        move = forward_return_bps(at_entry, quotes.mid2[leave])
        payoff = modelled_payoff_bps(direction, move, spread, funding, h / 3600.0, costs.taker_fee_bps)
        mfe, mae = excursions_bps(direction, at_entry, visit.high[keep, k], visit.low[keep, k])
        won = hit(direction, move)
        named = {"fwd_ret_bps": move, "payoff_p": payoff, "hit": won, "mfe": mfe, "mae": mae}
        for name, values in named.items():
            out[f"{name}_{h}"][rows] = values
        own_rows = decision == h
        out["payoff_p"][rows[own_rows]], out["hit"][rows[own_rows]] = payoff[own_rows], won[own_rows]
        taken = own_rows & np.asarray(part["published"], dtype=np.bool_)
        if taken.any():
            out["payoff_y"][rows[taken]] = executed_payoff_bps(
                direction[taken],
                _top(quotes, entry[taken]),
                _top(quotes, leave[taken]),
                funding[taken],
                sz_decimals=asset.sz_decimals,
                notional_usd=costs.probe_notional_usd,
                fee_bps=costs.taker_fee_bps,
            )
            out["fill_source"][rows[taken]] = FILL_SOURCE


def _top(quotes: QuotePath, rows: NDArray[np.int64]) -> TopOfBook:
    return TopOfBook(
        quotes.recv_ns[rows], quotes.bid_px[rows], quotes.bid_sz[rows], quotes.ask_px[rows], quotes.ask_sz[rows]
    )
