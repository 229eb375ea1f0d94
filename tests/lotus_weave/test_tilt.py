"""Grade B in a live account: half the tilt from the lesson to the version, at once, and told with what is realised."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples
from weave_boards import MANIFEST, NIGHT_MS, A, B, braid, day_of, lesson

from lotus.errors import ConfigError
from lotus.priors.types import IDENTITY, Knob, Patch, priors_version
from lotus.priors.vocabulary import rule_mask
from lotus.timebase import DAY_MS
from lotus.weave.admission import realised
from lotus.weave.composition import parts_of
from lotus.weave.contraction import held_to
from lotus.weave.night import NightInputs, WovenNight, goal_of, weave_night
from lotus.weave.tilt import realised_tilt, shared, tilt_share
from lotus.weave.watchdog import Evidence

LIVE = replace(MANIFEST, weave=replace(MANIFEST.weave, account="live"))
NIGHTS = 12


def live_lives(manifest=LIVE, grade: str = "B", board=(), nights: int = NIGHTS) -> WovenNight:
    """Weave a lesson for some nights, or a board that is there already."""
    day, night, lessons = day_of(), None, [] if board else [lesson(grade=grade)]
    previous = priors_version("b", NIGHT_MS - DAY_MS, tuple(b.active() for b in board))
    for i in range(nights):
        given_ = NightInputs(Evidence(f"2026-01-{20 + i}" if i < 11 else "2026-02-01"))
        night = weave_night(previous, board, lessons, {"d": day}, NIGHT_MS + i * DAY_MS, manifest, given_)
        previous, board, lessons = night.priors, night.braids, []
    assert night is not None
    return night


def test_grade_b_has_half_the_tilt_in_a_live_account_and_all_on_paper():
    paper, half, whole = live_lives(MANIFEST), live_lives(), live_lives(grade="A")
    tilt = {name: n.braids[0].delta_realised[1] for name, n in (("paper", paper), ("half", half), ("whole", whole))}
    assert tilt["half"] == pytest.approx(tilt["paper"] / 2, rel=0.02)
    assert tilt["whole"] == pytest.approx(tilt["paper"], rel=1e-9)
    assert [n.braids[0].tilt_share for n in (paper, half, whole)] == [1.0, 0.5, 1.0]
    (compiled,) = half.priors.braids
    theta1 = day_of().theta1[rule_mask(A, day_of().bins)]
    own = realised_tilt(compiled.patch, theta1, day_of().temperature, LIVE.score, LIVE.weave)
    assert own == half.braids[0].delta_realised
    assert half.braids[0].claimed_gain_bps == pytest.approx(paper.braids[0].claimed_gain_bps / 2, rel=0.02)
    assert half.braids[0].delta_wanted == paper.braids[0].delta_wanted


def test_a_board_that_goes_live_is_halved_in_one_night_whatever_the_limits():
    old = braid("x", target=Patch(-0.12, 1.06), patch=Patch(-0.12, 1.06), monitor=None)
    (before,) = live_lives(MANIFEST, board=(old,), nights=1).braids
    (after,) = live_lives(board=(old,), nights=1).braids
    assert after.delta_realised[1] == pytest.approx(before.delta_realised[1] / 2, rel=0.02)
    back = live_lives(MANIFEST, board=(after,), nights=1).braids[0]
    assert abs(back.patch.theta_delta - after.patch.theta_delta) <= MANIFEST.weave.night_theta + 1e-9


def test_on_a_day_without_windows_the_patch_is_attenuated():
    own = braid("x", target=Patch(-0.1, 1.05), strength=0.5)
    assert goal_of(own, None, LIVE, 0.5) == Patch(-0.025, 1.05**0.25)
    assert goal_of(own, None, LIVE) == Patch(-0.05, 1.05**0.5)


def test_knobs_of_other_scopes_move_half_the_way():
    own = braid("x", scope="tr", target=Patch(knobs=(Knob("execution:slice", 1.04),)), patch=IDENTITY)
    assert goal_of(own, day_of(), LIVE, 0.5).knobs == (Knob("execution:slice", 1.04**0.5),)


def test_a_composition_is_fixed_with_the_tilts_its_parents_have():
    parents = [braid("x", tilt_share=0.5), braid("y", B, grade="A")]
    assert parts_of(parents, (1.0, 1.0)).tilts == (0.25, 0.5)


@settings(deadline=None, max_examples=examples(60))
@given(st.floats(-0.12, 0.12), st.floats(1 / 1.06, 1.06), st.floats(0.05, 0.25), st.floats(0.1, 0.8))
def test_half_of_a_patch_realises_half_its_tilt_at_the_median(theta: float, phi: float, temp: float, at: float):
    penalties = np.full(3, at)
    score, weave = LIVE.score, LIVE.weave
    asked = realised_tilt(Patch(theta, phi), penalties, temp, score, weave)[1]
    got = realised_tilt(shared(Patch(theta, phi), 0.5, temp, at, score, weave), penalties, temp, score, weave)[1]
    low = min(at, weave.theta_min)
    clipped = at - weave.theta_step / 2 < low or at + weave.theta_step / 2 > weave.theta_max
    assert got == pytest.approx(asked / 2, rel=1e-6, abs=1e-9) or clipped


@given(st.floats(-0.2, 0.2), st.floats(0.8, 1.2), st.floats(-0.2, 0.2), st.floats(0.8, 1.2))
def test_what_is_held_lies_between_the_identity_and_both(theta: float, phi: float, to: float, mult: float):
    held = held_to(Patch(theta, phi), Patch(to, mult))
    assert abs(held.theta_delta) <= min(abs(theta), abs(to))
    assert held.theta_delta * theta >= 0.0
    assert abs(np.log(held.phi_mult)) <= min(abs(np.log(phi)), abs(np.log(mult))) + 1e-12
    assert held_to(held, Patch(to, mult)) == held


def test_a_gate_is_held_attenuated_and_realised_in_full():
    full, plain = Patch(-0.05, 1.03, (), 1.5), Patch(-0.05, 1.03)
    one, two = (realised(braid("x"), patch, day_of(), LIVE) for patch in (full, plain))
    more = np.subtract(one, two)
    assert more == pytest.approx(1.5)
    assert held_to(full, replace(plain, gate=0.5)).gate == 0.5
    assert held_to(full, replace(plain, gate=-0.5)).gate == 0.0
    assert goal_of(braid("x", target=full, strength=0.5), None, LIVE).gate == 0.75


def test_an_account_that_nobody_knows_is_refused():
    with pytest.raises(ConfigError, match="demo"):
        tilt_share("A", replace(LIVE.weave, account="demo"))
    assert [tilt_share(g, LIVE.weave) for g in "ABC"] == [1.0, 0.5, 0.0]
