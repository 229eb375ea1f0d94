"""Replayed nights: a lesson that lives is watched, one that dies is reverted."""

import pytest
from own_world import DAY_US, START_US, own_world, table
from told_studies import told

from lotus.own_signals.config import OwnConfig
from lotus.own_signals.replay import ALIVE, REVERTED
from lotus.own_signals.report.facts import facts_of
from lotus.own_signals.report.words import text_of
from lotus.own_signals.scores import scored
from lotus.own_signals.study import study
from lotus.pictures.canvas import svg
from lotus.pictures.curves import life
from lotus.priors.vocabulary import describe_rule

PLANTED = "x_flow >= 3 and x_regime = calm"


@pytest.fixture(scope="module")
def planted():
    """Return a world with 6 bps more where flow is high and the regime calm."""
    return own_world(seed=1, effect=6.0, detectors=2)


def rules(facts):
    return [(x["detector_id"], x["rule"], x["grade"], x["status"]) for x in facts["lessons"]]


def test_nights_replayed_find_the_rule_when_a_slot_is_due(planted):
    facts = told(planted, nightly=True)
    assert ("d0", PLANTED) in [x[:2] for x in rules(facts)]
    assert facts["look"]["looks"] >= 1
    nights = facts["lessons"][0]["nights"]
    assert nights
    assert nights[0] >= "2025-01-16"  # the eleventh night has the first slot


def rows_before(world, day, effect):
    """Return the planted 6 bps only before a day; from it on the rule costs `effect`."""
    late = world["ts"] >= START_US + day * DAY_US
    inside = (world["x_flow"] > 0.2533) & (world["x_regime"] == "calm") & late & (world["detector_id"] == "d0")
    for name in ("payoff_bps", "paper_payoff_bps"):
        world[name] = world[name] - (6.0 + effect) * inside
    return world


def test_a_lesson_that_lives_is_watched_and_one_that_dies_is_reverted():
    alive = own_world(seed=1, effect=6.0, days=30, n=250)
    found = study(scored(table(alive), OwnConfig()), OwnConfig(), nightly=True)
    lived = next(f for f in found.findings if describe_rule(f.lesson.rule, found.vocabulary) == PLANTED)
    assert lived.status == ALIVE
    days, e = zip(*lived.watched, strict=True)
    assert days == tuple(d for d in found.days if d > lived.nights[0])
    assert max(e) < 2.0
    dead = rows_before(own_world(seed=1, effect=6.0, days=30, n=250), 18, 6.0)
    found = study(scored(table(dead), OwnConfig()), OwnConfig(), nightly=True)
    died = next(f for f in found.findings if describe_rule(f.lesson.rule, found.vocabulary) == PLANTED)
    assert died.status == REVERTED
    assert died.watched[-1][1] >= 20.0
    assert died.watched[-1][0] > "2025-01-24"
    line = next(x for x in found.lives if x.title == f"d0: {PLANTED}")
    assert line.watched == died.watched
    assert svg(life(line, found.critical.day)).startswith("<svg")
    facts = facts_of(found, OwnConfig())
    assert facts["lessons"][0]["now"] == REVERTED
    assert "now reverted: e-value" in text_of(facts)
