"""A day's frames, minutes, context and scores as series, against what they were made of."""

from dataclasses import replace

import numpy as np

from lotus.detectors.registry import scored_detectors
from lotus.manifest import Asset, Manifest
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.spec import C_SPREAD, I_ASSET, I_END, I_QUALITY, I_RECV, LATE, N_FLOATS, N_INTS
from lotus.monitoring.day_series import DAILY, SCORES, frame_series, gap_series, score_series, tape_series
from lotus.monitoring.sketch_table import DATA, SCORE, SeriesName, together

UNIVERSE = (Asset("BTC", 5), Asset("ETH", 4))
NONE = np.zeros((0, 8), np.int64)


def frames_of(n: int) -> FrameBatch:
    """Frames of BTC whose every fourth spread is null and every second is late; ETH has none."""
    ints, floats = np.zeros((n, N_INTS), np.int64), np.random.default_rng(1).normal(size=(n, N_FLOATS))
    ints[:, I_END] = 200 * np.arange(1, n + 1)
    ints[:, I_RECV] = (ints[:, I_END] + 30) * 1_000_000
    ints[::2, I_QUALITY] = LATE
    floats[::4, C_SPREAD] = np.nan
    return FrameBatch(UNIVERSE, 200, ints, floats, NONE, NONE)


def test_frames_are_taken_once_a_window_and_a_dead_feed_is_null() -> None:
    day = together(frame_series(frames_of(1_000), slice(100, 1_000), 5))
    at = day.places
    spread = at[SeriesName(DATA, "BTC", "", "spread_bps")]
    assert day.count[spread] == 135
    assert day.null_share[spread] == 0.25
    assert day.number[at[SeriesName(DATA, "BTC", "", "late_share")]] == 0.5
    assert day.number[at[SeriesName(DATA, "BTC", "", "skew_p99_ms")]] == 30.0
    assert set(day.quantiles[at[SeriesName(DATA, "BTC", "", "skew_ms")]]) == {30.0}
    dead = [row for name, row in at.items() if name.asset == "ETH"]
    assert len(dead) == len(at) // 2
    assert day.count[dead].sum() == 0
    assert np.isnan(day.quantiles[dead]).all()


def test_gaps_and_double_lines_are_shares() -> None:
    minutes = {"asset": np.array([0, 0, 1], np.int16), "covered_s": np.array([60.0, 30.0, 0.0]),
               "expected_s": np.array([60.0, 60.0, 0.0])}  # fmt: skip
    day = together([gap_series(minutes, UNIVERSE), tape_series(3, 0.125, 300), tape_series(0, 0.0, 0)])
    numbers = dict(zip(day.names, day.number.tolist(), strict=True))
    assert numbers[SeriesName(DATA, "BTC", "", "gap_share")] == 0.25
    assert np.isnan(numbers[SeriesName(DATA, "ETH", "", "gap_share")])


def test_scores_are_of_signals_by_detector_and_asset_and_strangers_are_left_out() -> None:
    detectors = scored_detectors(Manifest())[:2]
    names = [d.detector_id for d in detectors]
    n = 400
    columns = {
        "detector_id": np.array([*names, "gone", names[0]] * (n // 4), object),
        "asset": np.array(["BTC", "BTC", "BTC", "DOGE"] * (n // 4), object),
        "s": np.array([1.0, -0.5, 1.0, 1.0] * (n // 4)),
        "published": np.arange(n) % 8 == 0,
        "fired": np.zeros(n, np.uint64),
        "pi": np.full(n, 0.125),
        **{name: np.arange(n) * 1.0 for name in (*SCORES, *DAILY)},
    }
    columns["s"][0] = 0.0
    day = together(score_series(columns, detectors, UNIVERSE))
    at = day.places
    assert len(at) == 2 * (3 + 2 * 3)
    assert day.count[at[SeriesName(SCORE, "BTC", names[0], "u0")]] == 99
    assert day.quantiles[at[SeriesName(SCORE, "BTC", names[1], "u0")], 24] == 199.0
    shares = [day.number[at[SeriesName(SCORE, "", name, "publish_share")]] for name in names]
    np.testing.assert_allclose(shares, [49 / 199, 0.0])
    assert together(score_series(columns, [replace(detectors[0], detector_id="new")], UNIVERSE)).count.sum() == 0


def test_what_a_belief_publishes_more_is_not_what_is_watched_for() -> None:
    """A belief trebles what is published of every second signal: the share watched is the one without it."""
    detectors, n = scored_detectors(Manifest())[:2], 40_000
    rng, plain = np.random.default_rng(3), 0.1
    fired = np.arange(n) % 2
    pi = np.where(fired == 1, 3.0 * plain, plain)
    columns = {
        "detector_id": np.full(n, detectors[0].detector_id, object), "asset": np.full(n, "BTC", object),
        "s": np.ones(n), "published": rng.random(n) < pi, "fired": fired.astype(np.uint64), "pi": pi,
        **{name: np.ones(n) for name in (*SCORES, *DAILY)}, "u0": np.full(n, np.log(plain / (1.0 - plain))),
    }  # fmt: skip
    assert columns["published"].mean() > 0.18
    name = detectors[0].detector_id
    day = together(score_series(columns, detectors, UNIVERSE, {name}))
    numbers = dict(zip(day.names, day.number.tolist(), strict=True))
    assert abs(numbers[SeriesName(SCORE, "", name, "publish_share")] - plain) < 0.006
    assert np.isnan(numbers[SeriesName(SCORE, "", name, "kr_theta")])
    assert numbers[SeriesName(SCORE, "", name, "tau_pub")] == 1.0


def test_quality_reads_the_rows_asked_for_alone() -> None:
    frames = frames_of(200)
    frames.ints[:100, I_ASSET] = 1
    day = together(frame_series(frames, slice(0, 100), 1))
    assert day.count[day.places[SeriesName(DATA, "BTC", "", "spread_bps")]] == 0
    assert day.count[day.places[SeriesName(DATA, "ETH", "", "spread_bps")]] == 75
