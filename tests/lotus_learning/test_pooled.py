"""The second channel: it sees what is constant all day, only proposes, pays its own budget, is quiet without cause."""

import dataclasses

import numpy as np

from lotus.learning.night import learn_night
from lotus.learning.slots import allowance
from lotus.manifest import LearningDefaults, Manifest
from lotus.priors.types import Literal
from lotus.priors.vocabulary import FEATURE_NAMES

SLOW = FEATURE_NAMES.index("oi")


def slow_world(worlds, seed, bps, days=30):
    """Return a world in which open interest stands still all day and pays `bps` on the days when it is high."""
    scores = worlds.world("null", seed=seed, days=days, per_block=150)
    rng = np.random.default_rng(seed)
    for columns in scores.values():
        level = rng.integers(0, 5)
        columns["b_oi"][:] = level
        gain = bps * (level >= 3)
        for name, weight in (("payoff_p", 1.0), ("payoff_y", 1.0), ("f", columns["p"] * (1 - columns["p"]))):
            columns[name] = columns[name] + gain * weight
    return scores


def test_a_lesson_on_a_slow_feature_is_proposed_and_never_activated(worlds, one_look):
    proposed = 0
    for seed in range(2):
        result = learn_night(slow_world(worlds, seed, 8.0), one_look)
        assert all(x.rule.literals[0].feature != SLOW for x in result.lessons)
        for lesson in result.proposals:
            assert (lesson.grade, lesson.state, lesson.accepted) == ("C", "MODEL_ONLY", False)
            assert "propose an experiment" in lesson.reason
            assert lesson.m_nats > result.pooled.critical
            assert lesson.n_blocks == lesson.n_days
            proposed += any(x.feature == SLOW and x.high >= 3 for x in lesson.rule.literals)
    assert proposed >= 1


def test_without_a_cause_it_is_quiet_and_it_can_be_switched_off(worlds, one_look):
    assert sum(bool(learn_night(slow_world(worlds, 50 + k, 0.0, 14), one_look).proposals) for k in range(6)) <= 1
    off = dataclasses.replace(one_look, learning=LearningDefaults(looks="final", pooled_alpha=0.0))
    scores = slow_world(worlds, 0, 8.0)
    without = learn_night(scores, off)
    assert without.proposals == ()
    assert learn_night(scores, one_look).lessons == without.lessons


def test_it_looks_on_the_few_nights_that_its_own_slots_allow(worlds):
    scores = slow_world(worlds, 0, 8.0)
    assert allowance(365, 400, 0.01) == 4
    early = learn_night(scores, Manifest(), night=20)
    assert (early.pooled.slots, early.proposals) == (0, ())
    later = learn_night(scores, Manifest(), night=40)
    assert later.pooled.slots == 1
    assert later.pooled.state.spent == 1
    assert [lane.spent for lane in later.slots] == [4, 4]
    assert any(literal == Literal(SLOW, 3, 4) for x in later.proposals for literal in x.rule.literals)
