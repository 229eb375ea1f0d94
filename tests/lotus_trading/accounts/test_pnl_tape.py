"""Probes of the tape simulation, split: the net of a row is the stored payoff, the parts are what the quotes say."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lotus.errors import SchemaError
from lotus.manifest import Manifest
from lotus.outcomes.evaluate import evaluate
from lotus.outcomes.signal_eval import OK
from lotus.timebase import HOUR_MS, NS_PER_MS
from lotus.trading.accounts.pnl import FillSource
from lotus.trading.accounts.pnl_tape import Columns, executed_rows, tape_trades

MANIFEST = Manifest()
START_MS = 500_000 * HOUR_MS - 600_000  # ten minutes before a full hour: the longest probes pay funding
NOTHING: dict[str, NDArray[Any]] = {"asset": np.zeros(0, np.int64), "start_ms": np.zeros(0, np.int64),
                                    "end_ms": np.zeros(0, np.int64)}  # fmt: skip
Table = dict[str, NDArray[Any]]


def quotes_of(rng: np.random.Generator, asset: int, thin: bool) -> Table:
    """Return quotes every half second for 80 minutes: a walk with moving spreads and sizes."""
    n, level = 9_600, (1_000_000, 400_000, 2_000_000)[asset]
    bid = (level * np.exp(np.cumsum(rng.normal(0, 2e-5, n)))).astype(np.int64)
    times = START_MS + np.arange(n) * 500
    size = rng.integers(0, 60, n) if thin else rng.integers(10_000, 9_000_000, n)
    return {
        "asset": np.full(n, asset), "recv_ns": (times + 40) * NS_PER_MS, "time_ms": times, "bid_px": bid,
        "bid_sz": size, "ask_px": bid + rng.integers(1, 40, n) * 10, "ask_sz": size[::-1],
    }  # fmt: skip


def world(seed: int, thin: bool = False, manifest: Manifest = MANIFEST) -> tuple[Table, Table, dict[str, Columns]]:
    """Return outcomes, windows, and quotes by asset."""
    rng = np.random.default_rng(seed)
    tables = [quotes_of(rng, k, thin) for k in range(3)]
    parts = []
    for k, quotes in enumerate(tables):
        n = 40
        end = START_MS + 5_000 * np.sort(rng.choice(np.arange(1, 200), n, replace=False))
        close = (end + rng.integers(0, 480, n)) * NS_PER_MS
        seen = np.searchsorted(quotes["recv_ns"], close, side="right") - 1
        spread = quotes["ask_px"][seen] - quotes["bid_px"][seen]
        mid2 = quotes["ask_px"][seen] + quotes["bid_px"][seen]
        parts.append({
            "event_id": np.array([f"{k}-{i}" for i in range(n)], dtype=object),
            "detector_id": rng.choice(np.array(["a", "b"], dtype=object), n),
            "asset": np.full(n, MANIFEST.universe[k].name, dtype=object), "window_start_ms": end - 5_000,
            "window_end_ms": end, "close_recv_ns": close, "horizon_s": rng.choice((30, 300, 3_600), n),
            "s": rng.choice((-0.5, 0.0, 0.5), n, p=(0.45, 0.1, 0.45)), "spread_bps": 2e4 * spread / mid2, "mid2": mid2,
            "x_funding": rng.choice((np.nan, 0.4, -0.2), n), "published": rng.random(n) < 0.7,
        })  # fmt: skip
    events = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    together = {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}
    evals = evaluate(events, together, NOTHING, manifest)
    return evals, events, {a.name: t for a, t in zip(MANIFEST.universe, tables, strict=True)}


@pytest.mark.parametrize("thin", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_the_net_of_every_row_is_the_stored_payoff(seed: int, thin: bool) -> None:
    evals, events, quotes = world(seed, thin)
    found = tape_trades(evals, events, quotes, MANIFEST)
    chosen = executed_rows(evals, events)
    stored = np.sort(evals["payoff_y"][chosen].astype(np.float64))
    assert len(found.trades) == chosen.sum() > 50
    assert np.max(np.abs(np.sort(found.trades.bps("net")) - stored)) < 1e-4
    assert found.largest_difference_bps < 1e-4
    assert found.trades.source is FillSource.TAPE_SIM
    assert np.count_nonzero(~found.trades.filled) == np.count_nonzero(stored == 0.0)
    assert np.any(~found.trades.filled) == thin


def test_a_probe_of_few_lots_is_refused_where_the_top_is_empty() -> None:
    small = replace(MANIFEST, outcomes=replace(MANIFEST.outcomes, probe_notional_usd=3.0))
    evals, events, quotes = world(5, True, small)
    found = tape_trades(evals, events, quotes, small)
    assert 0 < np.count_nonzero(~found.trades.filled) < 15
    assert found.largest_difference_bps < 1e-2  # a millionth of a dollar is more of 3 dollars


def test_the_parts_are_what_the_quotes_say_one_by_one() -> None:
    """A slow second way: every probe met again quote by quote, part by part."""
    evals, events, quotes = world(9)
    trades = tape_trades(evals, events, quotes, MANIFEST).trades
    windows = {name: k for k, name in enumerate(events["event_id"].tolist())}
    rows = [
        k
        for asset in MANIFEST.universe
        for k in np.flatnonzero(executed_rows(evals, events) & (evals["asset"] == asset.name))
    ]
    assert len(rows) == len(trades)
    for at, row in enumerate(rows):
        k = windows[evals["event_id"][row]]
        asset = next(a for a in MANIFEST.universe if a.name == events["asset"][k])
        q, unit, side = quotes[asset.name], 10.0**asset.px_decimals, float(np.sign(events["s"][k]))
        close, later = int(events["close_recv_ns"][k]), int(events["horizon_s"][k]) * 10**9
        recv = q["recv_ns"].tolist()
        first = next(i for i, t in enumerate(recv) if t >= close + 250 * NS_PER_MS)
        last = next(i for i, t in enumerate(recv) if t >= close + later + 250 * NS_PER_MS)
        decided = max(i for i, t in enumerate(recv) if t <= close + later)
        best = float(q["ask_px" if side > 0 else "bid_px"][first]) / unit
        size = round(1_000 / best * 10**asset.sz_decimals) / 10**asset.sz_decimals
        mid = (float(q["ask_px"][decided]) + float(q["bid_px"][decided])) / 2 / unit
        half = sum(float(q["ask_px"][i]) - float(q["bid_px"][i]) for i in (first, last)) / 2 / unit
        assert trades.gross[at] == pytest.approx(1e6 * side * size * (mid - float(events["mid2"][k]) / 2 / unit), abs=1)
        assert trades.spread[at] == pytest.approx(1e6 * size * half, abs=1)
        assert trades.notional[at] == pytest.approx(1e6 * size * best, abs=1)  # these books are deep
        hours = recv[last] // (HOUR_MS * NS_PER_MS) - recv[first] // (HOUR_MS * NS_PER_MS)
        rate = float(np.nan_to_num(events["x_funding"][k]))
        assert trades.funding[at] == pytest.approx(1e6 * size * best * rate * hours / 1e4, abs=1)
    assert np.any(trades.funding != 0)
    assert np.any(trades.slippage > 0)
    assert np.any(trades.slippage < 0)


def test_only_executed_published_whole_probes_are_trades() -> None:
    evals, events, quotes = world(2)
    chosen = executed_rows(evals, events)
    ids = {
        name: bool(flag) for name, flag in zip(events["event_id"].tolist(), events["published"].tolist(), strict=True)
    }
    assert all(ids[name] for name in evals["event_id"][chosen].tolist())
    assert set(evals["status"][chosen].tolist()) == {OK}
    gap = {**evals, "status": np.where(chosen, "gap", evals["status"]).astype(object)}
    assert len(tape_trades(gap, events, quotes, MANIFEST).trades) == 0


def test_where_a_venue_answered_the_tape_is_told_all_the_same_and_not_compared() -> None:
    evals, events, quotes = world(2)
    chosen = executed_rows(evals, events)
    answered = {
        **evals, "fill_source": np.where(chosen, "venue", evals["fill_source"]).astype(object),
        "payoff_y": np.where(chosen, 77.0, evals["payoff_y"]),
    }  # fmt: skip
    found = tape_trades(answered, events, quotes, MANIFEST)
    assert np.array_equal(found.trades.net, tape_trades(evals, events, quotes, MANIFEST).trades.net)
    assert found.largest_difference_bps == 0.0
    nowhere = {**events, "s": np.zeros(len(events["s"]))}
    assert len(tape_trades(answered, nowhere, quotes, MANIFEST).trades) == 0


def test_a_window_that_counts_as_modelled_is_a_trade_of_the_tape_as_every_published_one() -> None:
    evals, events, quotes = world(2)
    tried = executed_rows(evals, events) & (np.arange(len(evals["event_id"])) % 3 == 0)
    modelled = {
        **evals, "fill_source": np.where(tried, "", evals["fill_source"]).astype(object),
        "payoff_y": np.where(tried, np.nan, evals["payoff_y"]),
    }  # fmt: skip
    found, plain = tape_trades(modelled, events, quotes, MANIFEST), tape_trades(evals, events, quotes, MANIFEST)
    assert np.array_equal(found.trades.net, plain.trades.net)


def test_an_altered_payoff_is_told_by_its_distance() -> None:
    evals, events, quotes = world(3)
    altered = {**evals, "payoff_y": evals["payoff_y"] + 0.5}
    assert tape_trades(altered, events, quotes, MANIFEST).largest_difference_bps == pytest.approx(0.5, abs=1e-3)


def test_missing_windows_or_quotes_are_refused_not_left_out() -> None:
    evals, events, quotes = world(4)
    with pytest.raises(SchemaError, match="no window"):
        tape_trades(evals, {name: values[:5] for name, values in events.items()}, quotes, MANIFEST)
    with pytest.raises(SchemaError, match="no quotes of ETH"):
        tape_trades(evals, events, {n: q for n, q in quotes.items() if n != "ETH"}, MANIFEST)
    short = {name: {c: v[:100] for c, v in q.items()} for name, q in quotes.items()}
    with pytest.raises(SchemaError, match="without quotes"):
        tape_trades(evals, events, short, MANIFEST)
