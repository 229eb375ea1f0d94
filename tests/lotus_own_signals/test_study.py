"""Whole studies of worlds with known truth: what must be found, at which grade, and what must not."""

import numpy as np
import pytest
from own_world import DAY_US, START_US, own_world, table
from told_studies import told

from lotus.errors import SchemaError
from lotus.own_signals.config import VENUE, OwnConfig, parse_config
from lotus.own_signals.report.words import text_of
from lotus.own_signals.scores import scored
from lotus.own_signals.study import NO_PROPENSITY, study

PLANTED = "x_flow >= 3 and x_regime = calm"


@pytest.fixture(scope="module")
def planted():
    """Return a world with 6 bps more where flow is high and the regime calm."""
    return own_world(seed=1, effect=6.0, detectors=2)


def rules(facts):
    return [(x["detector_id"], x["rule"], x["grade"], x["status"]) for x in facts["lessons"]]


def test_the_planted_rule_is_found_alone(planted):
    facts = told(planted)
    assert rules(facts) == [("d0", PLANTED, "B", "IDENTIFIED")]
    lesson = facts["lessons"][0]
    truth = 6.0 * (1.0 - lesson["support"]["coverage"])
    assert lesson["ci95"][0] - 0.7 < truth < lesson["ci95"][1] + 0.7
    assert 0.0 < lesson["lcb_bps"] < lesson["uplift_bps"]
    assert lesson["advice"] == "publish more here"
    assert facts["trials"] > 1000
    assert not any(a["alarm"] for a in facts["audits"])


def test_venue_fills_make_grade_a(planted):
    assert rules(told(planted, OwnConfig(fill_source=VENUE))) == [("d0", PLANTED, "A", "IDENTIFIED")]


def test_without_paper_the_rule_is_found_with_the_baseline_as_control():
    world = own_world(seed=1, effect=9.0)
    world["paper_payoff_bps"][:] = np.nan
    facts = told(world)
    assert [x[2:] for x in rules(facts)] == [("B", "IDENTIFIED")]
    assert facts["lessons"][0]["rule"] in (PLANTED, *(n["rule"] for n in facts["lessons"][0]["near_ties"]))
    assert facts["audits"][0]["placebo_z"] is None
    assert "not tested" in facts["audits"][0]["placebo_note"]


def test_paper_payoffs_alone_propose_an_experiment(planted):
    facts = told({**planted, "payoff_bps": np.full(len(planted["ts"]), np.nan)})
    assert facts["lessons"] == []
    best = facts["refused"][0]
    assert (best["rule"], best["grade"], best["status"]) == (PLANTED, "C", "MODEL_ONLY")
    assert "propose an experiment" in best["reason"]


def test_without_propensity_there_is_only_an_association(planted):
    bare = {name: values for name, values in planted.items() if name != "propensity"}
    facts = told(bare)
    assert facts["lessons"] == []
    assert facts["audits"] == []
    assert facts["refused"], "the planted rule is strong enough to be seen"
    assert {(x["grade"], x["status"], x["reason"]) for x in facts["refused"]} == {("D", "REFUSED", NO_PROPENSITY)}
    assert {x["detector_id"] for x in facts["refused"] if x["rule"] is None} == {"d0", "d1"}
    assert any("x_flow" in x["rule"] for x in facts["refused"] if x["rule"])


def test_a_policy_that_never_draws_is_refused_in_words(planted):
    facts = told({**planted, "propensity": planted["published"].astype(float)})
    assert facts["lessons"] == []
    assert {(x["detector_id"], x["grade"]) for x in facts["refused"] if x["rule"] is None} == {("d0", "C"), ("d1", "C")}
    assert "deterministic" in facts["refused"][0]["reason"]


def test_a_propensity_that_did_not_draw_raises_the_alarm(planted):
    stale = np.clip(planted["propensity"] * 0.5, 0.02, 0.98)
    facts = told({**planted, "propensity": stale})
    assert facts["lessons"] == []
    assert all(a["alarm"] for a in facts["audits"])


def test_noise_teaches_nothing():
    hits = sum(bool(told(own_world(seed=50 + s, n=250))["lessons"]) for s in range(12))
    assert hits <= 2  # 4 % each; three or more have probability 1 %


@pytest.mark.parametrize(
    ("word", "never"), [("up", ("x_flow <=", "x_flow = 0")), ("down", ("x_flow >=", "x_flow = 4"))]
)
def test_a_monotone_direction_limits_what_rules_may_say(planted, word, never):
    config = parse_config(f"features: {{x_flow: {word}, x_regime: category}}", "c.yaml")
    facts = told(planted, config)
    shown = [x["rule"] for x in (*facts["lessons"], *facts["proposals"], *facts["refused"]) if x["rule"]]
    shown += [n["rule"] for x in facts["lessons"] for n in x["near_ties"]]
    assert any("x_flow" in rule for rule in shown)
    assert not any(words in rule for rule in shown for words in never)
    assert (PLANTED in shown) == (word == "up")


def slow_world(seed=11, days=45):
    """Return a world whose edge hangs on a number that is constant all day: no contrast inside a day sees it."""
    world = own_world(seed=seed, days=days, n=60)
    day = (world["ts"] - START_US) // DAY_US
    world["x_slow"] = np.random.default_rng(seed).normal(size=days)[day]
    for name in ("payoff_bps", "paper_payoff_bps"):
        world[name] = world[name] + 9.0 * (world["x_slow"] > 0.25)
    return world


def test_a_lesson_on_a_slow_feature_is_proposed_and_never_accepted():
    facts = told(slow_world())
    assert facts["lessons"] == []
    (found,) = facts["proposals"]
    assert "x_slow" in found["rule"]
    assert (found["grade"], found["status"]) == ("C", "MODEL_ONLY")
    assert "experiment" in found["advice"]
    assert "PROPOSALS   grade C, never accepted" in text_of(facts)


def test_the_study_of_the_same_table_is_the_same(planted):
    assert told(planted) == told(planted)


def test_too_few_days_are_refused():
    with pytest.raises(SchemaError, match="days of windows that could be published; expected: 11 or more"):
        study(scored(table(own_world(days=9, n=50)), OwnConfig()), OwnConfig())
