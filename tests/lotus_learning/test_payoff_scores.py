"""Scores: the formula, what is kept, the join, and that a day's scores depend on nothing later."""

import numpy as np
import pytest

from lotus.errors import SchemaError
from lotus.learning.basis import hats
from lotus.learning.payoff_scores import PAYOFF_SCORES, BaselineTable, baseline_tables, payoff_scores, score
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


def test_without_paper_the_control_is_the_table_of_the_detectors_earlier_days(worlds):
    tables_by_name = baseline_tables(worlds.world("conf", seed=3, days=3, per_block=200).values())
    (table,) = tables_by_name.values()
    events, evaluated = tables()
    whole = payoff_scores(events, evaluated, DAY, {"d": table})
    evaluated["payoff_p"][::2] = np.nan
    mixed = payoff_scores(events, evaluated, DAY, {"d": table, "other": np.ones(6)})
    out, paper = mixed.columns, ~np.isnan(mixed.columns["payoff_p"])
    assert 0 < mixed.fallen_back == (~paper).sum() < len(paper)
    assert whole.fallen_back == 0
    for name in PAYOFF_SCORES.names:
        one, two = out[name][paper], whole.columns[name][paper]
        assert (one.tolist() == two.tolist()) if one.dtype == object else (one.tobytes() == two.tobytes()), name
    a, p, b = out["published"], out["p"], hats(out["u0"]) @ table
    slow = [
        p[i] * (1 - p[i]) * b[i] + (a[i] * (1 - p[i]) * (out["payoff_y"][i] - b[i]) if a[i] else 0.0)
        for i in np.flatnonzero(~paper)
    ]
    np.testing.assert_allclose(out["f"][~paper], slow, rtol=1e-12, atol=1e-15)
    alone = payoff_scores(events, evaluated, DAY).columns
    np.testing.assert_allclose(
        alone["f"][~paper], np.where(a, (1 - p) * np.nan_to_num(out["payoff_y"]), 0.0)[~paper], atol=1e-15
    )


def test_the_tables_are_per_detector_and_read_executed_payoffs_of_published_windows_alone():
    rng = np.random.default_rng(5)
    n = 600
    day = {
        "detector_id": rng.choice(["d", "e"], n).astype(object),
        "published": rng.random(n) < 0.5,
        "u0": rng.normal(size=n),
        "p": rng.uniform(0.1, 0.9, n),
    }
    day["payoff_y"] = np.where(day["published"], np.where(day["detector_id"] == "d", 3.0, -5.0), np.nan)
    two = baseline_tables([day, day])
    for name, paid in (("d", 3.0), ("e", -5.0)):
        mine = (day["detector_id"] == name) & day["published"]
        basis, weight = hats(day["u0"][mine]), 2 * (1 - day["p"][mine])
        gram = 50 * 0.075 * np.eye(6) + basis.T @ (basis * weight[:, None])
        np.testing.assert_allclose(two[name], np.linalg.solve(gram, basis.T @ (weight * paid)), rtol=1e-8)
    table = BaselineTable()
    before = table.solved()
    table.add({key: day[key] for key in ("published", "payoff_y", "u0", "p")})
    assert not before.any()
    assert table.solved().any()


def test_hats_are_a_partition_of_unity():
    basis = hats(np.linspace(-6, 6, 1001))
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
