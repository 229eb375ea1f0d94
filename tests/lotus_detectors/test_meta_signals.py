"""Budget cues: against pandas, live equals batch, the market reads the window before only, no cue knows a direction."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import foldnorm, norm

from lotus.detectors.meta_signals import (
    COMPONENTS,
    EVENT_COLUMNS,
    META_SIGNALS,
    MetaSignals,
    asymmetry_of,
    asymmetry_scales,
    in_scoring_order,
)
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.scoring.scored import Columns
from lotus.detectors.scoring.scorer import Scorer, in_key_order
from lotus.errors import SchemaError
from lotus.hashing import content_hash
from lotus.priors.types import priors_0
from lotus.priors.vocabulary import ALIGNED, FEATURE_NAMES, VALUE_COLUMNS
from lotus_assets.stages.schema_check import schema_check

D = len(shipped_detectors())
Z = ("z_oi", "z_f", "z_b", "z_d", "z_w")


@pytest.fixture(scope="module")
def scored(chain) -> Columns:
    """The last day's events in scoring order."""
    m = chain.manifest
    scorer = Scorer(m, m.universe, shipped_detectors(), chain.tables[12], [priors_0("main")], "main")
    return scorer.feed_all(chain.windows[12])


@pytest.fixture(scope="module")
def cues(chain, scored: Columns) -> Columns:
    """The last day's cues in closing order."""
    return MetaSignals(5_000, chain.tables[12]).feed(scored)


def stressed(events: Columns, scale: float) -> Columns:
    """The same day with every magnitude that a component reads `scale` times as large."""
    names = ("x_oi", "x_funding", "x_basis", "x_spread", "x_depth_slope")
    return {**events, **{name: events[name] * scale for name in names}}


def test_live_one_window_at_a_time_is_batch_bit_for_bit(chain, scored: Columns, cues: Columns) -> None:
    live = MetaSignals(5_000, chain.tables[12])
    parts = [live.feed({n: scored[n][k : k + D] for n in EVENT_COLUMNS}) for k in range(0, len(scored["s"]), D)]
    joined = {name: np.concatenate([p[name] for p in parts]) for name in META_SIGNALS.names}
    assert content_hash(joined) == content_hash(cues)
    rng = np.random.default_rng(2)
    for _ in range(5):
        cuts = np.sort(rng.integers(0, len(scored["s"]) // D, 6)) * D
        machine = MetaSignals(5_000, chain.tables[12])
        pieces = [machine.feed(part) for part in split(scored, cuts)]
        assert content_hash({n: np.concatenate([p[n] for p in pieces]) for n in META_SIGNALS.names}) == content_hash(
            cues
        )


def split(events: Columns, cuts: np.ndarray) -> list[Columns]:
    edges = [0, *cuts.tolist(), len(events["s"])]
    return [{n: events[n][a:b] for n in EVENT_COLUMNS} for a, b in pairwise(edges)]


def test_rows_fit_their_table(chain, scored: Columns, cues: Columns) -> None:
    assert schema_check(META_SIGNALS, cues).passed
    first = MetaSignals(5_000, chain.tables[0]).feed(scored)
    assert schema_check(META_SIGNALS, first).passed
    assert np.all(first["ms_absent"] == 0b1101111)
    assert np.isnan(first["ms_asym_score"]).all()
    assert all(np.all(first[name] == 0.0) for name in Z[:4])


def test_scales_are_those_of_the_normal_law_with_the_same_outer_bins(chain) -> None:
    rng = np.random.default_rng(8)
    plain, folded = norm(3.0, 2.0), foldnorm(0.0, scale=0.7)
    edges = list(map(list, chain.tables[12].edges))
    ranks = np.array([0.2, 0.4, 0.6, 0.8])
    edges[0][FEATURE_NAMES.index("oi")] = tuple(plain.ppf(ranks))
    edges[0][FEATURE_NAMES.index("basis")] = tuple(norm(0.0, 0.7).ppf(ranks))
    found = asymmetry_scales(replace(chain.tables[12], edges=tuple(map(tuple, edges))))
    assert found[0, 0] == pytest.approx((3.0, 2.0))
    assert found[0, 2] == pytest.approx((folded.mean(), folded.std()))
    assert abs(rng.normal(0.0, 0.7, 200_000)).std() == pytest.approx(found[0, 2, 1], rel=0.01)
    assert np.isnan(asymmetry_scales(chain.tables[0])).all()


def test_components_and_score_against_pandas(chain, scored: Columns, cues: Columns) -> None:
    q, tables = norm.ppf(0.8), chain.tables[12]
    names = [a.name for a in chain.manifest.universe]
    e = pd.DataFrame({n: scored[n] for n in EVENT_COLUMNS}).iloc[::D].reset_index(drop=True)

    def z(name: str) -> pd.Series:
        at = VALUE_COLUMNS.index(name)
        edges = np.array([tables.edges[names.index(a)][at] for a in e.asset])
        if ALIGNED[at]:
            sigma = edges[:, 3] / q
            out = (e[name].abs() - sigma * np.sqrt(2 / np.pi)) / (sigma * np.sqrt(1 - 2 / np.pi))
        else:
            out = (e[name] - edges[:, 1:3].mean(axis=1)) / ((edges[:, 3] - edges[:, 0]) / (2 * q))
        return out.clip(0.0, 5.0)

    way = e.x_trend.abs() / (1 + e.x_trend.abs())
    same = np.sign(e.x_funding * e.x_trend).clip(lower=0.0)
    expected = pd.DataFrame(
        {
            "z_oi": z("x_oi") * way,
            "z_f": z("x_funding") * same,
            "z_b": z("x_basis"),
            "z_d": (z("x_depth_slope") + z("x_spread")) / 2,
            "z_w": (e.x_session == 3).astype(float),
        }
    )
    for k, name in enumerate(Z):
        np.testing.assert_allclose(cues[name], expected[name].fillna(0.0), atol=1e-9)
        assert np.array_equal(cues["ms_absent"] >> k & 1, expected[name].isna())
    score = expit(0.5 * expected.sum(axis=1) - 2.0).where(expected[list(Z[:4])].notna().any(axis=1))
    np.testing.assert_allclose(cues["ms_asym_score"], score, atol=1e-9)
    assert expected[list(Z[:4])].max().min() > 0.5
    assert expected.isna().any().any()
    assert np.all(cues["ms_absent"] >> 5 == 0b11)


def test_timing_is_the_mean_over_the_detectors_that_spoke(scored: Columns, cues: Columns) -> None:
    e = pd.DataFrame({n: scored[n] for n in EVENT_COLUMNS}).assign(window=np.arange(len(scored["s"])) // D)
    spoke = e[e.s != 0.0].groupby("window")[["kairos", "uncert"]].mean().reindex(range(len(cues["ms_kairos"])))
    np.testing.assert_allclose(cues["ms_kairos"], spoke.kairos, atol=1e-12)
    np.testing.assert_allclose(cues["ms_uncert"], spoke.uncert, atol=1e-12)
    assert np.array_equal(cues["ms_entrain_r"], scored["entrain"][::D], equal_nan=True)
    assert np.isnan(cues["ms_uncert"]).any()


def test_the_market_is_that_of_the_window_before(cues: Columns) -> None:
    e = pd.DataFrame({n: cues[n] for n in META_SIGNALS.names})
    known = pd.DataFrame({n: (e.ms_absent.to_numpy() >> k & 1) == 0 for k, n in enumerate(Z[:4])})
    e["measured"], e["extreme"] = known.sum(axis=1), ((e[list(Z[:4])] >= 2.0) & known).sum(axis=1)
    e.loc[e.ms_asym_score.isna(), ["measured", "extreme"]] = 0
    by = e.groupby("window_end_ms").agg({"ms_asym_score": ["mean", "count"], "measured": "sum", "extreme": "sum"})
    before = by.reindex(np.arange(by.index[0], by.index[-1] + 1, 5_000)).shift(1)
    enough = before["ms_asym_score", "count"] >= 3
    market = before["ms_asym_score", "mean"].where(enough)
    breadth = (before["extreme", "sum"] / before["measured", "sum"]).where(enough)
    np.testing.assert_allclose(cues["ms_asym_market"], e.window_end_ms.map(market), atol=1e-12)
    np.testing.assert_allclose(cues["ms_asym_breadth"], e.window_end_ms.map(breadth), atol=1e-12)
    assert np.isfinite(cues["ms_asym_market"]).mean() > 0.5
    assert cues["ms_asym_breadth"][np.isfinite(cues["ms_asym_breadth"])].max() > 0.0


def test_nothing_later_is_read(chain, scored: Columns, cues: Columns) -> None:
    half = len(scored["s"]) // D // 2
    part = MetaSignals(5_000, chain.tables[12]).feed({n: scored[n][: half * D] for n in EVENT_COLUMNS})
    assert content_hash(part) == content_hash({n: v[:half] for n, v in cues.items()})
    later = {n: v.copy() for n, v in scored.items()}
    later["x_spread"][half * D :] *= 100.0
    changed = MetaSignals(5_000, chain.tables[12]).feed(later)
    assert content_hash({n: v[:half] for n, v in changed.items()}) == content_hash(part)


def test_no_cue_knows_a_direction(chain, scored: Columns, cues: Columns) -> None:
    turned = {**scored, "s": -scored["s"]}
    for name, aligned in zip(VALUE_COLUMNS, ALIGNED, strict=True):
        if aligned:
            turned[name] = -scored[name]
    assert content_hash(MetaSignals(5_000, chain.tables[12]).feed(turned)) == content_hash(cues)


def test_stress_raises_the_score_and_calm_lowers_it(chain, scored: Columns, cues: Columns) -> None:
    more, less = (MetaSignals(5_000, chain.tables[12]).feed(stressed(scored, k)) for k in (3.0, 0.2))
    known = np.isfinite(cues["ms_asym_score"])
    means = [np.mean(x["ms_asym_score"][known]) for x in (less, cues, more)]
    assert means == sorted(means)
    assert means[2] > means[0] + 0.1


def test_one_row_gives_what_the_stream_gave(chain, scored: Columns, cues: Columns) -> None:
    for window in range(0, len(cues["z_oi"]), 97):
        row = {name: values[window * D + 2] for name, values in scored.items()}
        measured, score = asymmetry_of(row, chain.tables[12])
        absent = [name for k, name in enumerate(COMPONENTS) if cues["ms_absent"][window] >> k & 1]
        assert set(measured) == set(COMPONENTS) - set(absent)
        assert all(measured[n] == cues[n.lower()][window] for n in measured)
        assert score == cues["ms_asym_score"][window] or (score is None and np.isnan(cues["ms_asym_score"][window]))
    with pytest.raises(SchemaError):
        asymmetry_of({**row, "asset": "XYZ"}, chain.tables[12])


def test_stored_rows_are_put_back_into_scoring_order(chain, scored: Columns, cues: Columns) -> None:
    """One asset's windows close a window late and in pairs, another's first: the order of closing decides."""
    names = (*EVENT_COLUMNS, "detector_id", "close_recv_ns")
    seq = scored["window_end_ms"] // 100 - np.where(scored["asset"] == "A1", 7, 0)
    late = scored["asset"] == "A2"
    seq[late] = (scored["window_end_ms"][late] // 10_000 + 1) * 100 + 3
    order = np.argsort(seq, kind="stable")
    closed = {n: scored[n][order] for n in names} | {"close_seq": seq[order], "close_recv_ns": seq[order]}
    stored = in_key_order(closed)
    assert content_hash(stored) != content_hash(closed)
    again = in_scoring_order(stored, chain.tables[12])
    assert content_hash(again) == content_hash(closed)
    assert content_hash(MetaSignals(5_000, chain.tables[12]).feed(again)) != content_hash(cues)
    gone = 3 * D + 2
    holed = in_scoring_order({n: np.delete(stored[n], gone) for n in names}, chain.tables[12])
    torn = (closed["asset"] == stored["asset"][gone]) & (closed["window_end_ms"] == stored["window_end_ms"][gone])
    assert content_hash(holed) == content_hash({n: values[~torn] for n, values in closed.items()})
    nothing = in_scoring_order({n: stored[n][:0] for n in names}, chain.tables[12])
    assert len(MetaSignals(5_000, chain.tables[12]).feed(nothing)["asset"]) == 0


def test_events_out_of_order_are_refused(chain, scored: Columns) -> None:
    for cut in (slice(0, D + 1), slice(1, D + 1)):
        with pytest.raises(SchemaError, match="whole windows"):
            MetaSignals(5_000, chain.tables[12]).feed({n: scored[n][cut] for n in EVENT_COLUMNS})
