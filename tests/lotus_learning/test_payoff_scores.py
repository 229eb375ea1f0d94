"""Scores: the formula, what is kept, the join, and that a day's scores depend on nothing later."""

import numpy as np
import pytest

from lotus.errors import SchemaError
from lotus.learning.payoff_scores import PAYOFF_SCORES, payoff_scores, score
from lotus.learning.strata import block_weights, histogram
from lotus.timebase import HOUR_MS

from .scored_day import DAY, tables


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
    with pytest.raises(SchemaError, match="no window"):
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


def test_extreme_logits_fall_into_the_last_cells():
    one = histogram(
        np.array([-99.0, 99.0]), np.array([0.1, 0.9]), np.zeros(2, bool), np.full(2, np.nan), np.zeros(2), np.zeros(2)
    )
    assert one.weight[[0, -1]] == pytest.approx([0.09, 0.09])


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
