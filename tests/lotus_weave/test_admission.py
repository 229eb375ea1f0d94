"""Laws of the weave: bounds of a patch, the life of a braid, and what a night writes."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lotus.learning.lesson import Lesson
from lotus.manifest import Manifest
from lotus.priors.types import IDENTITY, Literal, Rule, priors_0
from lotus.timebase import DAY_MS
from lotus.weave.admission import DetectorDay
from lotus.weave.night import WovenNight, weave_night
from lotus.weave.tilt import patch_for, realised_tilt, wanted_tilt

MANIFEST = Manifest()
WEAVE, SCORE = MANIFEST.weave, MANIFEST.score
RULE = Rule.of(Literal(7, 0, 1))
NIGHT_MS = 20_000 * DAY_MS


def lesson(**changes: object) -> Lesson:
    base = Lesson(
        lesson_id="",
        branch="b",
        night="2026-01-17",
        detector_id="imbalance_persistence",
        horizon_s=30,
        rule=RULE,
        sign=1,
        uplift_bps=12.0,
        se_bps=1.0,
        ci95=(10.0, 14.0),
        lcb_bps=4.0,
        claim_bps=10.2,
        net_mean_bps=6.0,
        net_low_bps=3.0,
        net_high_bps=9.0,
        sigma_y_bps=10.0,
        m_nats=5.0,
        t_stat=4.6,
        recent_t=4.0,
        critical=1.0,
        n_windows=4000,
        n_published=500,
        ess=400.0,
        n_days=13,
        n_blocks=26,
        n_eff_days=11.0,
        coverage=0.4,
        fill_share=1.0,
        trials=174965,
        grade="B",
        state="IDENTIFIED",
    )
    return replace(base, **changes).named()  # type: ignore[arg-type]


def detector_day(n: int = 400) -> DetectorDay:
    rng = np.random.default_rng(3)
    bins = rng.integers(0, 3, (n, 12)).astype(np.uint8)
    return DetectorDay(bins, rng.uniform(0.2, 0.6, n), 0.12)


def weave(lessons: list[Lesson], night: WovenNight | None = None, at_ms: int = NIGHT_MS) -> WovenNight:
    days = {"imbalance_persistence": detector_day(), "micro_drift": detector_day()}
    previous, board = (night.priors, night.braids) if night else (priors_0("b"), ())
    return weave_night(previous, board, lessons, days, at_ms, MANIFEST)


@settings(deadline=None)
@given(st.floats(-0.5, 0.5), st.floats(0.05, 0.25), st.floats(0.0, 0.9))
def test_patch_keeps_its_bounds_and_the_sign_of_the_tilt(delta: float, temperature: float, theta: float) -> None:
    patch = patch_for(delta, temperature, theta, SCORE, WEAVE)
    assert abs(patch.theta_delta) <= WEAVE.theta_step
    assert abs(math.log(patch.phi_mult)) <= math.log(WEAVE.phi_step) + 1e-12
    assert patch.theta_delta * delta <= 0.0
    assert math.log(patch.phi_mult) * delta >= 0.0


def test_patch_realises_the_wanted_tilt_where_nothing_clips() -> None:
    patch = patch_for(0.2, 0.12, 0.5, SCORE, WEAVE)
    low, median, high = realised_tilt(patch, np.full(50, 0.5), 0.12, SCORE, WEAVE)
    assert low == pytest.approx(0.2)
    assert median == pytest.approx(0.2)
    assert high == pytest.approx(0.2)


def test_where_one_share_clips_the_other_takes_the_rest() -> None:
    patch = patch_for(0.5, 0.15, 0.2, SCORE, WEAVE)
    half = (1 - 0.2) * (1 - math.exp(0.15 * 0.5 / (2 * 0.4 * 0.7)))
    assert abs(math.log(patch.phi_mult)) == pytest.approx(math.log(WEAVE.phi_step))
    assert patch.theta_delta == -WEAVE.theta_step or patch.theta_delta < half


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"lcb_bps": 0.01}, "tilt"), ({"net_low_bps": -1.0}, "shadow"), ({"sign": -1, "net_high_bps": 0.5}, "shadow")],
)
def test_a_lesson_that_would_not_pay_owns_no_patch(changes: dict[str, float], reason: str) -> None:
    tilt = wanted_tilt(lesson(**changes), WEAVE)
    assert tilt.delta == 0.0
    assert reason in tilt.reason


def test_a_suppression_may_act_where_the_net_is_below_the_price() -> None:
    assert wanted_tilt(lesson(sign=-1, uplift_bps=-12.0, net_high_bps=-4.0), WEAVE).delta == -WEAVE.max_tilt


def test_a_night_turns_an_accepted_lesson_into_a_bounded_traceable_prior() -> None:
    night = weave([lesson()])
    (braid,) = night.braids
    (active,) = night.priors.braids
    assert braid.state == "active"
    assert active.lesson_id == lesson().lesson_id
    assert active.rule == RULE
    assert active.patch.phi_mult <= 1 + WEAVE.night_phi + 1e-9
    assert abs(active.patch.theta_delta) <= WEAVE.night_theta + 1e-9
    assert braid.delta_realised[1] > 0.0
    assert [e.new_state for e in night.events] == ["active"]
    assert night.events[0].priors_after == night.priors.priors_ver


def test_the_same_night_twice_is_the_same_night() -> None:
    assert weave([lesson()]) == weave([lesson()])


def test_an_empty_night_moves_on_toward_the_target_and_then_rests() -> None:
    night = weave([lesson()])
    for i in range(1, 25):
        night = weave([], night, NIGHT_MS + i * DAY_MS)
    (braid,) = night.braids
    assert braid.patch.theta_delta == pytest.approx(braid.target.theta_delta, abs=1e-5)
    assert braid.patch.phi_mult == pytest.approx(braid.target.phi_mult, abs=1e-5)


def test_a_braid_expires_and_takes_its_patch_away() -> None:
    night = weave([], weave([lesson()]), NIGHT_MS + WEAVE.ttl_days * DAY_MS)
    assert night.braids[0].state == "sunset"
    assert night.braids[0].patch == IDENTITY
    assert night.priors.braids == ()


def test_a_lesson_without_patch_stays_proposed_and_out_of_the_priors() -> None:
    night = weave([lesson(net_low_bps=-3.0)])
    assert night.braids[0].state == "proposed"
    assert "shadow price" in night.braids[0].reason
    assert night.priors.braids == ()


def test_a_proposed_lesson_gives_way_when_the_evidence_bears_a_patch() -> None:
    first = weave([lesson(lcb_bps=0.01)])
    again = weave([lesson(night="2026-01-18", lcb_bps=0.02)], first, NIGHT_MS + DAY_MS)
    assert [b.state for b in again.braids] == ["proposed"]
    grown = weave([lesson(night="2026-01-19")], again, NIGHT_MS + 2 * DAY_MS)
    assert sorted(b.state for b in grown.braids) == ["active", "archived"]


def test_a_proposed_lesson_expires() -> None:
    night = weave([], weave([lesson(lcb_bps=0.01)]), NIGHT_MS + WEAVE.ttl_days * DAY_MS)
    assert night.braids[0].state == "archived"


def test_overlapping_rules_of_one_detector_do_not_act_twice() -> None:
    twin = lesson(rule=Rule.of(Literal(7, 0, 1), Literal(0, 0, 4 - 1)), claim_bps=9.0)
    night = weave([lesson(), twin])
    assert sorted(b.state for b in night.braids) == ["active", "archived"]


def test_meta_candidates_are_counted_and_refused_until_enough_days() -> None:
    other = lesson(rule=Rule.of(Literal(3, 0, 1)), detector_id="imbalance_persistence")
    night = weave([lesson(), other])
    assert night.meta
    assert all(m.verdict == "running" and m.days == 0 for m in night.meta)
    assert [m.counted for m in night.meta] == list(range(1, len(night.meta) + 1))
