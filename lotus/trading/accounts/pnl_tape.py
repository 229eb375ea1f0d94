"""Trades of probes as the tape simulation executed them, split into their costs: a second reading of payoff Y.

`signal_eval` keeps only what a probe earned in the end. Here its quotes are met again, by the rules of
`lotus.outcomes.tape_fill`, and every part of it is shown; the net of a row must be the stored payoff, and how far
the two are apart is returned with it. No file is read here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.errors import SchemaError
from lotus.manifest import Asset, Manifest
from lotus.outcomes.evaluate import rows_named
from lotus.outcomes.path import QuotePath, first_quote
from lotus.outcomes.signal_eval import OK
from lotus.outcomes.tape_fill import MAX_MULTIPLES, tick_units, walk
from lotus.timebase import HOUR_MS, NS_PER_MS
from lotus.trading.accounts.pnl import FillSource, Floats, Ints, TradeColumns, TradeEnds, decomposed, joined

Columns = Mapping[str, NDArray[np.generic]]
EVENT_COLUMNS = ("event_id", "asset", "close_recv_ns", "horizon_s", "s", "x_funding", "mid2")
EVAL_COLUMNS = ("event_id", "detector_id", "asset", "window_end_ms", "horizon_s", "payoff_y", "fill_source", "status")
QUOTE_COLUMNS = ("recv_ns", "time_ms", "bid_px", "bid_sz", "ask_px", "ask_sz")
_NS_PER_HOUR = HOUR_MS * NS_PER_MS


@dataclass(frozen=True, slots=True)
class TapeTrades:
    """Trades, and the largest distance of a net from the payoff that the tape simulation stored, in bps."""

    trades: TradeColumns
    largest_difference_bps: float


def executed_rows(evals: Columns, events: Columns) -> NDArray[np.bool_]:
    """Tell which rows of SIGNAL_EVAL are probes of the tape simulation: published, by `events`, and whole.

    Where a venue's payoff took the place of the tape's, or a window was tried in another style or at another venue and
    so counts as modelled, the tape simulation is still shown: it is the same for all.
    """
    taken = np.asarray(events["published"], dtype=np.bool_) & (np.asarray(events["s"], dtype=np.float64) != 0.0)
    names = set(np.asarray(events["event_id"])[taken].tolist())
    among = np.array([name in names for name in np.asarray(evals["event_id"]).tolist()], dtype=np.bool_)
    paid = (evals["fill_source"] != "") & np.isfinite(np.asarray(evals["payoff_y"], dtype=np.float64))
    executed: NDArray[np.bool_] = (evals["status"] == OK) & (among | paid)
    return executed


def tape_trades(evals: Columns, events: Columns, quotes: Mapping[str, Columns], manifest: Manifest) -> TapeTrades:
    """Return the executed probes of rows of SIGNAL_EVAL, split.

    `events` hold EVENT_COLUMNS and `published` of at least their windows; `quotes` of each asset by name hold
    QUOTE_COLUMNS in order of arrival. Raises `SchemaError` when a window or the quotes it met are missing.
    """
    chosen = executed_rows(evals, events)
    rows = {name: np.asarray(evals[name])[chosen] for name in EVAL_COLUMNS}
    places = rows_named(rows["event_id"], np.asarray(events["event_id"]))
    directed = np.asarray(events["s"], dtype=np.float64)[places] != 0.0
    rows, places = {name: values[directed] for name, values in rows.items()}, places[directed]
    windows = {name: np.asarray(events[name])[places] for name in EVENT_COLUMNS}
    parts, worst = [_none()], 0.0
    for asset in manifest.universe:
        own_rows = rows["asset"] == asset.name
        if not own_rows.any():
            continue
        if asset.name not in quotes:
            raise SchemaError(f"no quotes of {asset.name}", "the quotes that its probes met", "a pruned lake")
        mine_rows = {name: values[own_rows] for name, values in rows.items()}
        one = _of_asset(
            mine_rows, {n: v[own_rows] for n, v in windows.items()}, path_of(quotes[asset.name]), manifest, asset
        )
        stored = np.asarray(mine_rows["payoff_y"], dtype=np.float64)
        taped = mine_rows["fill_source"] == FillSource.TAPE_SIM.value
        worst = max(worst, float(np.max(np.abs(one.bps("net") - stored)[taped], initial=0.0)))
        parts.append(one)
    return TapeTrades(joined(parts), worst)


def path_of(quotes: Columns) -> QuotePath:
    """Return the quotes of one asset as a path; `quotes` hold QUOTE_COLUMNS in order of arrival."""
    return QuotePath(*(np.asarray(quotes[name], dtype=np.int64) for name in QUOTE_COLUMNS))


def _of_asset(rows: Columns, windows: Columns, path: QuotePath, manifest: Manifest, asset: Asset) -> TradeColumns:
    costs, limit = manifest.outcomes, manifest.kernel.gap_ms * NS_PER_MS
    close = np.asarray(windows["close_recv_ns"], dtype=np.int64)
    leave_ns = close + np.asarray(windows["horizon_s"], dtype=np.int64) * 1_000_000_000
    latency = costs.latency_ms * NS_PER_MS
    entry, leave = (first_quote(path.recv_ns, time + latency, limit) for time in (close, leave_ns))
    if np.any(entry < 0) or np.any(leave < 0):
        raise SchemaError(f"a probe of {asset.name} without quotes", "the quotes that it met", "a pruned lake")
    unit = 10.0**asset.px_decimals
    side = np.sign(np.asarray(windows["s"], dtype=np.float64))
    lots = _lots(path, entry, side, costs.probe_notional_usd, asset)
    paid_px, top, multiples = _taken(path, entry, side, lots, asset)
    got_px, _, _ = _taken(path, leave, -side, lots, asset)
    filled = (top > 0) & (multiples <= MAX_MULTIPLES)
    size = np.where(filled, lots / 10.0**asset.sz_decimals, 0.0)
    decided = np.maximum(np.searchsorted(path.recv_ns, leave_ns, side="right") - 1, entry)
    legs = (
        TradeEnds(
            np.asarray(windows["mid2"], dtype=np.float64) / 2.0 / unit, _half(path, entry) / unit, paid_px / unit
        ),
        TradeEnds(path.mid2[decided] / 2.0 / unit, _half(path, leave) / unit, got_px / unit),
    )
    value = size * legs[0].px
    fees = costs.taker_fee_bps / 1e4 * (value + size * legs[1].px)
    hours = path.recv_ns[leave] // _NS_PER_HOUR - path.recv_ns[entry] // _NS_PER_HOUR
    funding = np.nan_to_num(np.asarray(windows["x_funding"], dtype=np.float64)) / 1e4 * hours * value
    names = (rows["detector_id"].astype(object), rows["asset"].astype(object))
    return decomposed(
        FillSource.TAPE_SIM, names, np.asarray(rows["window_end_ms"], dtype=np.int64), side, size, legs, (fees, funding)
    )


def _taken(path: QuotePath, quotes: Ints, side: Floats, lots: Ints, asset: Asset) -> tuple[Floats, Ints, Ints]:
    """Return the average price of taking `lots`, the size at the top, and the multiples of it that were needed."""
    buying = side > 0.0
    px, top = (
        np.where(buying, path.ask_px[quotes], path.bid_px[quotes]),
        np.where(buying, path.ask_sz[quotes], path.bid_sz[quotes]),
    )
    price, multiples = walk(px, top, lots, tick_units(px, asset.px_decimals), buying)
    return price, top, multiples


def _lots(path: QuotePath, entry: Ints, side: Floats, notional_usd: float, asset: Asset) -> Ints:
    usd = np.where(side > 0.0, path.ask_px[entry], path.bid_px[entry]) / 10.0**asset.px_decimals
    return np.maximum(np.rint(notional_usd / usd * 10.0**asset.sz_decimals), 1.0).astype(np.int64)


def _half(path: QuotePath, quotes: Ints) -> Floats:
    return (path.ask_px[quotes] - path.bid_px[quotes]) / 2.0


def _none() -> TradeColumns:
    texts, numbers = np.zeros(0, dtype=object), np.zeros(0, dtype=np.int64)
    nothing = (numbers,) * 6
    return TradeColumns(FillSource.TAPE_SIM, texts, texts, numbers, np.zeros(0, dtype=np.bool_), *nothing)
