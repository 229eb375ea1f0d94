"""Scores: the formula, what is kept, the join, and that a day's scores depend on nothing later."""

import numpy as np
import pytest

from lotus.errors import SchemaError
from lotus.learning.basis import KNOTS, placed
from lotus.learning.payoff_scores import PAYOFF_SCORES, payoff_scores, score
from lotus.learning.strata import SUMS, UNKNOWN, block_weights, histogram
from lotus.learning.strata_table import histograms_in, histograms_of, pasts_of_days, strata_rows
from lotus.priors.vocabulary import BIN_COLUMNS
from lotus.timebase import HOUR_MS, day_start_ms

DAY = "2025-01-07"


def tables(n=60, seed=0):
    rng = np.random.default_rng(seed)
    ids = np.array([f"{i:032x}" for i in rng.permutation(n)], dtype=object)
    pi = rng.choice([0.0, 0.02, 0.3, 0.98], n)
    published = rng.random(n) < pi
    end = day_start_ms(DAY) + HOUR_MS * rng.integers(0, 20, n)
    events = {
        "event_id": ids,
        "pi": pi,
        "u0": rng.normal(size=n),
        "published": published,
        "spec_version": np.ones(n, dtype=np.int32),
        **{name: rng.integers(0, 3, n).astype(np.uint8) for name in BIN_COLUMNS},
    }
    pick = rng.permutation(n)[: n // 2]
    evaluated = {
        "event_id": ids[pick],
        "detector_id": np.full(len(pick), "d", dtype=object),
        "asset": np.full(len(pick), "BTC", dtype=object),
        "horizon_s": np.full(len(pick), 30, dtype=np.int32),
        "window_end_ms": end[pick],
        "maturity_ms": end[pick] + 2 * HOUR_MS,
        "payoff_p": rng.normal(size=len(pick)),
        "payoff_y": np.where(published[pick], rng.normal(size=len(pick)), np.nan),
        "hit": np.ones(len(pick)),
        "fill_source": np.where(published[pick], "tape_sim", "").astype(object),
        "status": rng.choice(["ok", "gap"], len(pick), p=[0.8, 0.2]).astype(object),
    }
    return events, evaluated


def test_columns_follow_the_formula_and_the_joined_event():
    events, evaluated = tables()
    day = payoff_scores(events, evaluated, DAY)
    out, where = day.columns, {e: i for i, e in enumerate(events["event_id"])}
    assert tuple(out) == PAYOFF_SCORES.names
    kept = [
        e
        for e, s in zip(evaluated["event_id"], evaluated["status"], strict=True)
        if s == "ok" and events["pi"][where[e]] > 0
    ]
    assert out["event_id"].tolist() == kept
    for i, e in enumerate(kept):
        j = where[e]
        p, a = events["pi"][j], events["published"][j]
        expected = p * (1 - p) * out["payoff_p"][i] + (
            a * (1 - p) * (out["payoff_y"][i] - out["payoff_p"][i]) if a else 0
        )
        assert out["f"][i] == pytest.approx(expected, abs=1e-12)
        assert (out["p"][i], out["u0"][i], out["b_flow"][i]) == (p, events["u0"][j], events["b_flow"][j])
        assert out["block"][i] == ((out["window_end_ms"][i] // HOUR_MS + 2) % 24) // 6
    assert sum(day.counts.values()) == len(evaluated["event_id"])


def test_an_event_without_its_row_is_refused():
    events, evaluated = tables()
    with pytest.raises(SchemaError, match="not among"):
        payoff_scores({k: v[:5] for k, v in events.items()}, evaluated, DAY)


def test_the_score_estimates_the_overlap_weighted_payoff_whatever_the_paper_says():
    rng = np.random.default_rng(1)
    p = np.full(400_000, 0.2)
    published = rng.random(len(p)) < p
    executed = np.where(published, 3.0 + rng.normal(size=len(p)), np.nan)
    for paper in (0.0, 50.0):
        f = score(p, published, np.full(len(p), paper), executed)
        assert f.mean() / (p * (1 - p)).mean() == pytest.approx(3.0, abs=0.5)
    deterministic = score(np.ones(3), np.ones(3, dtype=bool), np.ones(3), np.full(3, 9.0))
    assert deterministic.tolist() == [0.0] * 3


def test_without_paper_the_control_is_the_level_of_the_detectors_earlier_days(worlds):
    past = [histograms_of(day) for day in worlds.world("conf", seed=3, days=3, per_block=200).values()]
    (strata,) = pasts_of_days(past).values()
    events, evaluated = tables()
    versions = {int(v) for v in events["spec_version"]}
    pasts = {("d", v): strata for v in versions} | {("other", v): UNKNOWN for v in versions}
    whole = payoff_scores(events, evaluated, DAY, pasts)
    evaluated["payoff_p"][::2] = np.nan
    mixed = payoff_scores(events, evaluated, DAY, pasts)
    out, paper = mixed.columns, ~np.isnan(mixed.columns["payoff_p"])
    assert 0 < mixed.fallen_back == (~paper).sum() < len(paper)
    assert whole.fallen_back == 0
    for name in PAYOFF_SCORES.names:
        if name == "weight":  # that of a whole block, which holds windows of both kinds
            continue
        one, two = out[name][paper], whole.columns[name][paper]
        assert (one.tolist() == two.tolist()) if one.dtype == object else (one.tobytes() == two.tobytes()), name
    hats = placed(out["u0"], strata.knots).dense()
    a, p, b = out["published"], out["p"], hats @ strata.level
    np.testing.assert_allclose(out["level"], b, rtol=1e-12)
    slow = [
        p[i] * (1 - p[i]) * b[i] + (a[i] * (1 - p[i]) * (out["payoff_y"][i] - b[i]) if a[i] else 0.0)
        for i in np.flatnonzero(~paper)
    ]
    np.testing.assert_allclose(out["f"][~paper], slow, rtol=1e-12, atol=1e-15)
    alone = payoff_scores(events, evaluated, DAY).columns
    assert np.isnan(alone["level"]).all(), "without earlier days nothing is known"
    np.testing.assert_allclose(
        alone["f"][~paper], np.where(a, (1 - p) * np.nan_to_num(out["payoff_y"]), 0.0)[~paper], atol=1e-15
    )


def a_day(seed, n=600, u0=None):
    rng = np.random.default_rng(seed)
    day = {
        "detector_id": rng.choice(["d", "e"], n).astype(object),
        "spec_version": np.ones(n, dtype=np.int32),
        "published": rng.random(n) < 0.5,
        "u0": rng.normal(size=n) if u0 is None else np.full(n, u0),
        "p": rng.uniform(0.1, 0.9, n),
        "level": np.full(n, np.nan),
        "f": rng.normal(size=n),
    }
    day["payoff_y"] = np.where(day["published"], np.where(day["detector_id"] == "d", 3.0, -5.0), np.nan)
    return day


def test_levels_are_per_detector_and_read_executed_payoffs_of_published_windows_alone():
    day = a_day(5)
    found = pasts_of_days([histograms_of(day), histograms_of(day)])
    for name, paid in (("d", 3.0), ("e", -5.0)):
        mine = (day["detector_id"] == name) & day["published"]
        cells = -16.0 + (np.floor((day["u0"][mine] + 16.0) * 16.0) + 0.5) / 16.0
        basis, weight = placed(cells, found[name, 1].knots).dense(), 2 * (1 - day["p"][mine])
        gram = 50 * 0.075 * np.eye(6) + basis.T @ (basis * weight[:, None])
        np.testing.assert_allclose(found[name, 1].level, np.linalg.solve(gram, basis.T @ (weight * paid)), rtol=1e-8)
    assert pasts_of_days([]) == {}


def test_knots_are_weighted_quantiles_of_the_detectors_own_logit():
    days = [a_day(seed, 5000) for seed in range(3)]
    strata = pasts_of_days([histograms_of(day) for day in days])["d", 1]
    mine = [day["detector_id"] == "d" for day in days]
    u0 = np.concatenate([day["u0"][at] for day, at in zip(days, mine, strict=True)])
    h = np.concatenate([(day["p"] * (1 - day["p"]))[at] for day, at in zip(days, mine, strict=True)])
    order = np.argsort(u0)
    share = np.cumsum(h[order]) / h.sum()
    wanted = [u0[order][np.searchsorted(share, q)] for q in (0.01, 0.2, 0.4, 0.6, 0.8, 0.99)]
    np.testing.assert_allclose(strata.knots, wanted, atol=0.03)
    outside = strata.basis(u0).beyond
    assert h[outside].sum() / h.sum() == pytest.approx(0.02, abs=0.005)


def test_a_desk_with_one_propensity_has_knots_and_a_level_too():
    strata = pasts_of_days([histograms_of(a_day(1, u0=0.3))])["d", 1]
    assert np.all(np.diff(strata.knots) >= 0.05 - 1e-12)
    assert not strata.basis(np.full(3, 0.3)).beyond.any()
    assert strata.level_at(np.array([0.3]))[0] == pytest.approx(3.0, rel=0.1)


def test_extreme_logits_fall_into_the_last_cells():
    one = histogram(
        np.array([-99.0, 99.0]), np.array([0.1, 0.9]), np.zeros(2, bool), np.full(2, np.nan), np.zeros(2), np.zeros(2)
    )
    assert one.weight[[0, -1]] == pytest.approx([0.09, 0.09])


def test_the_rows_of_histograms_come_back():
    found = histograms_of(a_day(2))
    again = histograms_in(strata_rows(found))
    assert again.keys() == found.keys()
    for key, one in found.items():
        for name in SUMS:
            assert getattr(again[key], name).tobytes() == getattr(one, name).tobytes()


def test_a_block_that_scatters_twice_as_much_counts_half_whatever_the_signs():
    rng = np.random.default_rng(0)
    h, block = np.full(8000, 0.1), np.repeat([0, 1], 4000)
    f = h * rng.normal(0.0, 10.0, 8000) * np.where(block == 1, 2.0, 1.0)
    got = block_weights(f, h, np.zeros(8000), block, 100.0)
    assert got[0] == pytest.approx(1.0, abs=0.05)
    assert got[-1] == pytest.approx(0.5, abs=0.03)
    assert block_weights(-f, h, np.zeros(8000), block, 100.0).tobytes() == got.tobytes()
    assert block_weights(0.0 * f, h, np.zeros(8000), block, 0.0).tolist() == [1.0] * 8000
    assert block_weights(0.0 * f, h, np.zeros(8000), block, 100.0).max() == 4.0


def test_hats_are_a_partition_of_unity():
    basis = placed(np.linspace(-6, 6, 1001), KNOTS).dense()
    np.testing.assert_allclose(basis.sum(axis=1), 1.0, atol=1e-12)
    assert basis.min() >= 0.0


def test_the_dropping_rule_is_audited_against_publication():
    events, evaluated = tables(n=4000, seed=3)
    honest = payoff_scores(events, evaluated, DAY)
    assert abs(honest.dropped_z) < 4
    where = {e: i for i, e in enumerate(events["event_id"])}
    published = np.array([events["published"][where[e]] for e in evaluated["event_id"]])
    biased = {**evaluated, "status": np.where(published, "gap", evaluated["status"]).astype(object)}
    assert payoff_scores(events, biased, DAY).dropped_z > 5
    lying = {**events, "published": np.ones(4000, dtype=bool)}
    assert payoff_scores(lying, evaluated, DAY).counts["no_chance_published"] > 0
