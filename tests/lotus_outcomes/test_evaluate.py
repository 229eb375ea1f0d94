"""Outcomes against a slow oracle, hand-computed probes, and the rule that the tape alone decides what counts."""

import dataclasses

import numpy as np
import pytest

from lotus.errors import SchemaError
from lotus.manifest import Manifest, OutcomeDefaults
from lotus.outcomes.evaluate import evaluate, mature
from lotus.outcomes.signal_eval import signal_eval_spec
from lotus.timebase import DAY_MS

from .probes_by_hand import DAY, MS, T0, events_of, quotes_of

MANIFEST = dataclasses.replace(Manifest(), outcomes=OutcomeDefaults(horizons_s=(30, 300)))


def gaps_of(*rows):
    asset, start, end = (np.array([r[i] for r in rows], dtype=np.int64) for i in range(3))
    return {"asset": asset, "start_ms": start, "end_ms": end}


NO_GAPS = gaps_of()


def join(*tables):
    return {k: np.concatenate([t[k] for t in tables]) for k in tables[0]}


def random_world(seed, n=400, seconds=1200):
    rng = np.random.default_rng(seed)
    parts = []
    for asset in range(2):
        stamps = np.sort(rng.uniform(0, seconds, 6 * seconds))
        mids = 1_000_000 + np.cumsum(rng.integers(-40, 41, len(stamps)))
        quotes = quotes_of(stamps, mids, asset=asset)
        quotes["bid_sz"] = rng.integers(1, 3_000, len(stamps))
        quotes["ask_sz"] = rng.integers(1, 3_000, len(stamps))
        parts.append(quotes)
    events = []
    for k, (asset, detector) in enumerate([("BTC", "a"), ("BTC", "b"), ("ETH", "a")]):
        ends = np.arange(5, 5 * (n // 5), 5.0)
        s = rng.choice([-0.7, 0.0, 0.4], len(ends))
        table = events_of(ends, s=s, published=rng.random(len(ends)) < 0.5, asset=asset, detector=detector)
        table["horizon_s"][:] = (30, 300)[k % 2]
        table["x_funding"] = rng.normal(0, 0.3, len(ends))
        events.append(table)
    return join(*events), join(*parts)


def test_probe_by_hand():
    quotes = quotes_of(
        [0, 10, 10.5, 40.2, 41, 310, 310.5, 320], [10_000, 10_000, 10_010, 10_010, 10_030, 10_000, 9_990, 9_990]
    )
    out = evaluate(events_of([10.0], funding=2.0), quotes, NO_GAPS, MANIFEST)
    move = (10_030 / 10_010 - 1) * 1e4  # closed at 10.1 s, so the quote received at 10.55 s is the entry
    assert out["status"].tolist() == ["ok"]
    assert out["fwd_ret_bps_30"][0] == pytest.approx(move)
    assert out["payoff_p"][0] == pytest.approx(move - 0.5 - 9.0 - 2.0 * 30 / 3600)
    paid, got = 10_012, 10_028  # the top takes the whole probe
    assert out["payoff_y"][0] == pytest.approx((got / paid - 1) * 1e4 - 4.5 * (1 + got / paid))
    assert (out["hit"][0], out["hit_300"][0]) == (1.0, 0.0)
    assert out["mfe_300"][0] == pytest.approx(move)
    assert out["mae_300"][0] == pytest.approx((9_990 / 10_010 - 1) * 1e4)
    assert set(signal_eval_spec((30, 300)).names) == set(out)


@pytest.mark.parametrize("seed", [0, 1])
def test_equals_a_slow_oracle(seed):
    events, quotes = random_world(seed)
    gaps = gaps_of((0, T0 + 500_000, T0 + 512_000))
    out = evaluate(events, quotes, gaps, MANIFEST)
    row_of = {e: i for i, e in enumerate(out["event_id"])}
    for i in range(0, len(events["event_id"]), 7):
        at, a = row_of[events["event_id"][i]], ["BTC", "ETH"].index(events["asset"][i])
        mine = quotes["asset"] == a
        recv, mid = quotes["recv_ns"][mine], (quotes["bid_px"] + quotes["ask_px"])[mine]
        first = [np.flatnonzero(recv >= events["close_recv_ns"][i] + (250 + h * 1000) * MS) for h in (0, 30, 300)]
        whole = all(len(f) for f in first)
        if whole and a == 0:
            last_ms = quotes["time_ms"][mine][first[2][0]]
            whole = not (events["window_start_ms"][i] < T0 + 512_000 and last_ms > T0 + 500_000)
        assert out["status"][at] == ("ok" if whole else "gap")
        d = np.sign(events["s"][i])
        if not whole or d == 0:
            continue
        e, x = first[0][0], first[2][0]
        assert out["fwd_ret_bps_300"][at] == pytest.approx((mid[x] / mid[e] - 1) * 1e4, abs=1e-9)
        marks = d * (mid[e : x + 1] / mid[e] - 1) * 1e4
        assert out["mfe_300"][at] == pytest.approx(max(0, marks.max()), abs=1e-9)
        assert out["mae_300"][at] == pytest.approx(min(0, marks.min()), abs=1e-9)
        assert np.isnan(out["payoff_y"][at]) == (not events["published"][i])
        assert out["payoff_p"][at] == out[f"payoff_p_{events['horizon_s'][i]}"][at]


def test_whether_a_window_counts_does_not_depend_on_publication():
    events, quotes = random_world(3)
    gaps = gaps_of((0, T0 + 700_000, T0 + 712_000), (1, T0 + 100_000, T0 + 130_000))
    flipped = {**events, "published": ~events["published"]}
    one, two = (evaluate(e, quotes, gaps, MANIFEST) for e in (events, flipped))
    assert one["status"].tolist() == two["status"].tolist()
    assert 0 < (one["status"] == "gap").mean() < 1
    np.testing.assert_array_equal(one["payoff_p"], two["payoff_p"])


def test_only_the_direction_of_rows_matters_not_their_order():
    events, quotes = random_world(4)
    order = np.random.default_rng(0).permutation(len(events["event_id"]))
    one = evaluate(events, quotes, NO_GAPS, MANIFEST)
    two = evaluate({k: v[order] for k, v in events.items()}, quotes, NO_GAPS, MANIFEST)
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])


def test_the_end_of_a_session_is_a_gap():
    quotes = quotes_of(np.arange(0, 600, 0.5), np.full(1200, 10_000))
    out = evaluate(events_of([250.0, 290.0, 310.0, 595.0]), quotes, NO_GAPS, MANIFEST)
    assert out["status"].tolist() == ["ok", "ok", "gap", "gap"]
    assert np.isnan(out["payoff_p"][2:]).all()


def test_a_day_holds_what_matures_on_it_and_reads_no_later_tape():
    quotes = quotes_of(np.arange(-1000, 500, 0.5), 10_000 + np.arange(3000) % 7)
    late = quotes_of(DAY_MS / 1000 + np.arange(-700, 500, 0.5), 10_000 + np.arange(2400) % 5)
    events = events_of([-400.0, -301.0, -300.0, 0.0, DAY_MS / 1000 - 305, DAY_MS / 1000 - 300, DAY_MS / 1000 - 100])
    both = join(quotes, late)
    out = mature(events, both, NO_GAPS, MANIFEST, DAY)
    assert ((out["window_end_ms"] - T0) / 1000).tolist() == [-300.0, 0.0, DAY_MS / 1000 - 305]
    assert out["status"].tolist() == ["ok"] * 3
    cut = {k: v[both["recv_ns"] < (T0 + DAY_MS) * MS] for k, v in both.items()}
    again = mature(events, cut, NO_GAPS, MANIFEST, DAY)
    for name in out:
        np.testing.assert_array_equal(out[name], again[name])


def test_horizons_and_assets_outside_the_manifest_are_refused():
    quotes = quotes_of([0.0], [10_000])
    with pytest.raises(SchemaError, match="horizons"):
        evaluate(events_of([10.0], horizon=77), quotes, NO_GAPS, MANIFEST)
    with pytest.raises(SchemaError, match="universe"):
        evaluate(events_of([10.0], asset="DOGE"), quotes, NO_GAPS, MANIFEST)
