"""Earned trust: what lifts a level and what takes one, in any order of days; and how rarely noise earns one."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lotus.errors import BeliefError
from lotus.manifest import Manifest, WeaveDefaults
from lotus.priors.vocabulary import rule_mask
from lotus.weave import trust as law
from lotus.weave.doubt import Doubt
from lotus.weave.trust import Trust, TrustDay, TrustStep, after_day, begin
from tests.lotus_weave.boards import A, B, rows

WEAVE = WeaveDefaults()
CAPS = WEAVE.trust_caps


def lived(
    trust: Trust, gains: list[float], caps: tuple[float, ...] = CAPS, ahead: float = 1.0
) -> tuple[Trust, list[TrustStep]]:
    """Take in one gain a day over a weight of 1; `ahead` is h_next / h_now."""
    steps = []
    for gain in gains:
        day = f"{int(trust.last_day or '0') + 1:04}"
        trust, step = after_day(trust, TrustDay(day, gain, 1.0, 0.1, 0.1 * ahead), caps)
        steps += [step] if step else []
    return trust, steps


def gains(mean: float, days: int, seed: int = 1, sd: float = 1.0) -> list[float]:
    """Days of noise around a mean, without the luck of a small sample in mean and deviation."""
    noise = np.random.default_rng(seed).standard_normal(days)
    return list(mean + sd * (noise - noise.mean()) / noise.std())


def test_a_lesson_that_pays_climbs_one_level_after_the_other_and_says_why() -> None:
    trust, steps = lived(begin(3.0), gains(3.0, 60))
    assert trust.level == 3
    ups = [step for step in steps if step.moved]
    assert [(step.before, step.level, step.cap) for step in ups] == [(0, 1, 1.0), (1, 2, 2.0), (2, 3, 3.0)]
    assert all(step.e_value >= law.needed(step.level) and step.snr_next >= law.UP_SNR for step in ups)
    assert "reached 20; signal to noise" in ups[0].reason
    assert steps[-1].reason == "level 3 is the highest allowed"


def test_evidence_waits_where_death_could_not_be_noticed_and_is_kept() -> None:
    trust, steps = lived(begin(3.0), gains(3.0, 30), ahead=0.1)
    assert trust.level == 0
    assert trust.e_value > 20.0
    assert "foretold, 1.5 needed" in steps[-1].reason
    risen, steps = lived(trust, [3.0])
    assert risen.level == 1
    assert steps[0].moved


@pytest.mark.parametrize("caps", [(), (0.5,)])
def test_one_cap_or_none_earns_no_level(caps: tuple[float, ...]) -> None:
    trust, steps = lived(begin(3.0), gains(3.0, 60), caps)
    assert trust.level == 0
    assert not any(step.moved for step in steps)
    assert law.tilt_for(trust, -1, -0.3, caps) == -0.3


def test_a_weak_signal_loses_one_level_the_same_night() -> None:
    trust, _ = lived(begin(3.0), gains(3.0, 60))
    after, steps = lived(trust, [0.0] * 7)
    downs = [step for step in steps if step.moved]
    assert downs[0].level == 2
    assert "could go unnoticed" in downs[0].reason
    assert after.level < 3


def test_a_day_that_pays_the_other_way_takes_every_level() -> None:
    trust, _ = lived(begin(3.0), gains(3.0, 60))
    after, steps = lived(trust, [-3.0])
    assert after.level == 0
    assert steps[0].reason == "a day more than 1 deviation against it"


def test_a_bad_day_of_a_level_begins_a_doubt_and_good_ones_or_a_level_more_end_it() -> None:
    trust = replace(lived(begin(3.0), gains(3.0, 60))[0], doubt=None, doubts=0)
    doubted, _ = lived(trust, [-0.1])
    assert (doubted.level, doubted.doubt, doubted.doubts) == (3, Doubt(1), 1)
    seen = TrustDay("9998", 3.0, 1.0, 0.1, 0.1, (-2.0,) * 8)
    assert after_day(doubted, seen, CAPS)[0].doubt is None
    dead, _ = after_day(doubted, replace(seen, short=(2.0,) * 8), CAPS)
    assert dead.doubt is not None
    assert dead.doubt.dead
    fallen, _ = lived(trust, [-9.0, -0.1])
    assert (fallen.level, fallen.doubt, fallen.doubts) == (0, Doubt(1), 1)
    assert after_day(replace(fallen, doubt=None), replace(seen, gain=-1.0), CAPS)[0].doubt is None, "of a level alone"
    weak = replace(fallen, recent=(3.0, 3.1) * 10)
    assert after_day(weak, replace(seen, short=()), CAPS)[0].doubt is None, "a level more"


def test_a_month_below_the_evidence_of_the_last_change_loses_a_level() -> None:
    days = [-0.001] * 20
    calm = replace(begin(1.0), level=3, logs=(9.0,) * 5, mark=9.0, recent=(3.0, 3.1) * 10)
    after, steps = lived(calm, days[:4])
    assert after.quiet_days == 4
    assert after.level == 3
    waited = replace(calm, quiet_days=29)
    after, steps = lived(waited, days[:1])
    assert after.level == 2
    assert "30 learning days" in steps[0].reason
    assert after.quiet_days == 0


def test_a_day_is_taken_once_and_one_without_weight_decides_nothing() -> None:
    seen = TrustDay("2026-01-02", 1.0, 2.0, 0.1, 0.1)
    once, step = after_day(begin(1.0, "2026-01-01"), seen, CAPS)
    assert step is not None
    assert once.last_day == seen.day
    assert after_day(once, seen, CAPS) == (once, None)
    dry, none = after_day(once, replace(seen, day="2026-01-03", gain=0.0, weight=0.0), CAPS)
    assert none is None
    assert dry == replace(once, last_day="2026-01-03")


def test_reviews_freeze_and_lower_but_never_raise() -> None:
    held, steps = lived(law.frozen(begin(3.0)), gains(3.0, 60))
    assert held.level == 0
    assert "frozen by a review" in steps[-1].reason
    trust, _ = lived(begin(3.0), gains(3.0, 60))
    low = law.lowered(trust, 1)
    assert low.level == 1
    assert low.mark == trust.log_e
    assert lived(low, gains(3.0, 10))[0].level == 1
    assert law.lowered(low, 2).ceiling == 1
    assert law.thawed(low).level == 1
    with pytest.raises(BeliefError):
        law.lowered(trust, -1)


def test_a_cap_taken_from_the_manifest_or_the_grade_lowers_at_once() -> None:
    trust, _ = lived(begin(3.0), gains(3.0, 60))
    after, steps = lived(trust, [3.0], CAPS[:2])
    assert after.level == 1
    assert steps[0].reason == "level 1 is the highest allowed"
    live = WeaveDefaults(account="live")
    assert law.caps_for("A", live) == CAPS
    assert law.caps_for("B", live) == (0.25, 0.5)
    assert law.caps_for("C", live) == ()


def test_every_further_life_must_be_earned_anew() -> None:
    trust, _ = lived(begin(3.0), gains(3.0, 30))
    longer, why = law.renewed(trust, "0030")
    assert longer == replace(trust, renewal=trust.log_e)
    assert why.startswith("extended: E grew")
    lower, why = law.renewed(longer, "0030")
    assert lower.level == trust.level - 1
    assert lower.changed_on == "0030"
    assert why == "one level down: E grew 1 times in this life, 20 needed"


def test_what_a_level_holds() -> None:
    trust = replace(begin(1.0), level=3)
    assert law.tilt_for(trust, -1, -0.2, CAPS) == -3.0
    assert law.gate_of(-3.0) == -2.0
    assert law.floor_for(0, 0.02) == 0.02
    assert law.floor_for(1, 0.02) == 0.05
    assert law.floor_for(1, 0.1) == 0.1
    u = np.array([-2.0, 0.0, 1.0])
    assert law.overlap(u, 9.0, 0.05) == pytest.approx(0.05 * 0.95)
    assert law.overlap(u[:0], 0.0, 0.05) == 0.0


def test_trust_needs_a_scale() -> None:
    with pytest.raises(BeliefError):
        begin(law.scale_of(np.zeros(0)))


def test_the_gain_of_a_day_is_that_of_the_smaller_lane_and_knows_nothing_of_the_rule_itself() -> None:
    table = rows("2026-01-20", lambda bins: 8.0 * rule_mask(A, bins))
    up, weight = law.rule_days(table, A, 1, (A, B))
    down, same = law.rule_days(table, A, -1, (B,))
    assert up.shape == weight.shape == (1,)
    assert weight[0] > 0.0
    assert same[0] == weight[0]
    assert up[0] > 0.0 > down[0]
    assert up[0] <= -down[0]


@settings(deadline=None)
@given(st.lists(st.floats(-50.0, 50.0), max_size=60), st.floats(0.1, 10.0), st.floats(0.0, 4.0))
def test_no_day_lifts_more_than_one_level_and_what_it_needs_is_there(
    days: list[float], scale: float, ahead: float
) -> None:
    trust, steps = lived(begin(scale), days, ahead=ahead)
    for step in steps:
        assert step.level <= step.before + 1
        assert 0 <= step.level < len(CAPS)
        assert step.level <= step.before or step.e_value >= law.needed(step.level)
        assert math.isfinite(step.e_value)
        assert step.cap == CAPS[step.level]
    assert len(trust.recent) <= law.RECENT_DAYS


@settings(deadline=None)
@given(st.floats(-3.0, 3.0), st.floats(-2.0, 2.0), st.integers(0, 3))
def test_a_gate_contracts_outwards_within_its_limit_and_comes_back_at_once(now: float, goal: float, level: int) -> None:
    after = law.gate_after(now, goal, level)
    assert abs(after) <= abs(goal) + 1e-7
    assert abs(after) - min(abs(now), abs(goal)) <= law.GATE_NIGHT * max(level, 1) + 1e-7
    assert after * goal >= 0.0


def test_symmetric_noise_hardly_ever_earns_a_level_in_a_year() -> None:
    draws = np.random.default_rng(7)
    reached = [0, 0, 0]
    for _ in range(60):
        noise = draws.standard_t(3, 365) * np.exp(0.5 * draws.standard_normal(365))
        _, steps = lived(begin(1.2), list(noise))
        best = max(step.level for step in steps)
        for level in range(1, best + 1):
            reached[level - 1] += 1
    assert reached[0] <= 6
    assert reached[1] <= 1
    assert reached[2] == 0


def crashing(draws: np.random.Generator, days: int, gain: float, every: int) -> list[float]:
    """Days that gain and now and then lose all of it again: mean zero, as one-sided as short volatility."""
    noise, crash = draws.standard_normal(days), draws.random(days) < 1.0 / every
    return list(noise + np.where(crash, -gain * (every - 1), gain))


@pytest.mark.parametrize(("gain", "every"), [(2.0, 5), (2.0, 10), (1.0, 20)])
def test_gains_that_a_crash_of_the_selection_days_takes_back_earn_no_level(gain: float, every: int) -> None:
    draws = np.random.default_rng(11)
    reached = 0
    for _ in range(25):
        selection = crashing(draws, 90, gain, every)
        trust = begin(law.scale_of(np.array(selection)), worst=min(selection))
        reached += max(step.level for step in lived(trust, crashing(draws, 120, gain, every))[1]) > 0
    assert reached <= 1


@pytest.mark.parametrize("loss", [-1e5, -math.inf, math.nan])
def test_a_loss_beyond_all_bets_ends_every_rise_for_good(loss: float) -> None:
    trust, _ = lived(begin(3.0), gains(3.0, 60))
    after, _ = lived(trust, [loss, *gains(3.0, 60)])
    assert after.level == 0
    assert after.e_value == 0.0
    assert law.anew(after).e_value == 0.0


def test_what_left_its_force_keeps_nothing_but_its_ruin_and_what_reviews_hold() -> None:
    trust, _ = lived(begin(3.0, worst=-3.0), gains(3.0, 60))
    assert trust.level == 3
    assert law.anew(trust) == begin(3.0, trust.last_day, -3.0)
    assert begin(3.0, worst=-3.0).e_value == pytest.approx(4 / 5)
    back = law.anew(law.lowered(law.frozen(trust), 1))
    assert (back.level, back.held, back.ceiling) == (0, True, 1)


def test_a_manifest_without_the_key_keeps_its_name() -> None:
    changed = replace(Manifest(), weave=replace(WEAVE, trust_caps=(0.5,)))
    assert changed.version != Manifest().version
    assert "trust_caps" not in repr(Manifest())
