"""A lesson that dies, night by night: the walk is the product's night, its patches act as the trace says and go."""

import math
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.lessons import drift
from benchmarks.lessons.drift import NAME, Life, Told, strength, worth
from benchmarks.lessons.pipeline import BRANCH, Walk, propensities, theta1
from lotus.learning.demean import demean
from lotus.learning.night import learn_night
from lotus.learning.rows import rows_by_detector
from lotus.manifest import LearningDefaults, Manifest
from lotus.priors.compiled import caps_of
from lotus.priors.trace import trace_priors
from lotus.priors.types import ActiveBraid, Literal, Patch, Rule, priors_0, priors_version
from lotus.simulation.learning_world import market, planted_rules, scores_of, track
from lotus.timebase import DAY_MS, HOUR_MS, day_start_ms
from lotus.weave.night import WovenNight

MANIFEST = Manifest(learning=LearningDefaults(max_literals=1, draws=100, alpha=0.2))


@pytest.fixture(scope="module")
def walked() -> tuple[Walk, Told, list[WovenNight]]:
    """Thirty nights of a world whose lesson dies after fifteen days."""
    place = market(4, 30, 432)
    rule = planted_rules(4, place, 1.0)[0][0]
    effect, _ = strength(place, rule, 12.0)
    walk = Walk(place, [track(place, "drift", NAME, ((rule, effect),))], MANIFEST)
    told, nights = Told(lambda found, sign: found == rule and sign > 0), []
    for night in range(1, 31):
        nights.append(walk.night(night)[1])
        told.take(night, nights[-1])
    return walk, told, nights


def test_the_walk_looks_as_the_product_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lotus.learning.night._may_promote", lambda *_: True)  # a night without a slot asks no draw
    place = market(3, 14, 432)
    walk = Walk(place, [track(place, "conf", name) for name in ("d0", "d1")], MANIFEST)
    learned = [walk.night(night)[0] for night in range(1, 15)][-1]
    merged = {
        day: {
            name: np.concatenate([kept.scores[day][name] for kept in walk.past.values()])
            for name in walk.past["d0"].scores[day]
        }
        for day in place.days
    }
    whole = learn_night(merged, replace(MANIFEST, learning=replace(MANIFEST.learning, looks="final")))
    assert learned.real_maximum == whole.real_maximum
    np.testing.assert_array_equal(learned.draw_maxima, whole.draw_maxima)


def test_patches_move_the_logit_as_the_trace_says_from_the_swap_on() -> None:
    place = market(5, 1, 432)
    one = track(place, "conf", NAME)
    swap = day_start_ms(place.days[0]) + 2 * HOUR_MS
    braid = ActiveBraid("b", "micro", NAME, 300, Rule.of(Literal(0, 0, 2)), Patch(-0.1, 1.05), effective_from_ms=swap)
    version = priors_version(BRANCH, swap, (braid,))
    plain = propensities(one, place.days[0], [priors_0(BRANCH)], MANIFEST)
    moved = propensities(one, place.days[0], [priors_0(BRANCH), version], MANIFEST)
    np.testing.assert_allclose(plain, 1.0 / (1.0 + np.exp(-one.u0)), rtol=1e-12)
    caps, share = caps_of(MANIFEST.weave), 1.0 - MANIFEST.score.sq_share
    for i in range(0, 432, 7):
        end = day_start_ms(place.days[0]) + DAY_MS // 432 * (i + 1)
        theta = float(theta1(one.bins)[i])
        told = trace_priors(version, NAME, one.bins[i].tolist(), theta, end, caps) if end >= swap else None
        tilt = 0.0
        if told is not None and told.fired:
            gain = math.log(told.phi) + MANIFEST.score.penalty_a * math.log((1.0 - told.theta2) / (1.0 - theta))
            tilt = max(-1.0, min(1.0, share * gain / MANIFEST.score.temperature))
        expected = 1.0 / (1.0 + math.exp(-(one.u0[i] + tilt)))
        assert moved[i] == pytest.approx(min(0.98, max(0.02, expected)), rel=1e-9)
    assert (moved > plain).any()


def test_a_dead_lesson_loses_its_patch_and_does_not_return(walked: tuple[Walk, Told, list[WovenNight]]) -> None:
    walk, told, nights = walked
    found = drift.after_death(told, 15, 30)
    assert (found["held"], found["cause"], found["returned"]) == (1, "reverted", 0)
    assert 1 <= int(found["delay"]) <= 10
    assert any(night.priors.braids for night in nights)
    assert nights[-1].priors.braids == ()
    p = propensities(walk.tracks[0], walk.place.days[0], walk.versions, MANIFEST)
    np.testing.assert_allclose(p, np.clip(1.0 / (1.0 + np.exp(-walk.tracks[0].u0)), 0.02, 0.98), rtol=1e-12)


def test_a_lesson_is_worth_its_effect_while_it_lives(walked: tuple[Walk, Told, list[WovenNight]]) -> None:
    walk, told, _ = walked
    (life,) = told.lives.values()
    alive = worth(Life(life.braid, 2, 14), walk)
    dead = worth(Life(life.braid, 16, 28), walk)
    assert alive > 0.8 * life.braid.claim_bps
    assert abs(dead) < 0.1 * life.braid.claim_bps


def test_the_effect_is_as_strong_as_asked() -> None:
    place = market(6, 60, 1_080)
    rule = planted_rules(6, place, 1.0)[0][0]
    effect, coverage = strength(place, rule, 3.0)
    one = track(place, "plant", NAME, ((rule, effect),))
    rows = rows_by_detector(scores_of(place, one), 60)[NAME]
    residual = demean(rows.basis(), rows.h, rows.f, rows.day, 60)
    inside = rows.covered(rule)
    gain, weight = (np.bincount(rows.day[inside], weights=x[inside], minlength=60) for x in (residual, rows.h))
    noise = gain - gain.sum() / weight.sum() * weight
    assert gain.mean() / noise.std() == pytest.approx(3.0, rel=0.3)
    assert 0.06 <= coverage <= 0.25
