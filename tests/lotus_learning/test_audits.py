"""Audits: silent on honest logs, loud on propensities that did not draw and on payoffs that are not what is said."""

import numpy as np
import pytest

from lotus.learning.audit_sums import audit_day
from lotus.learning.audits import AUDIT_DAYS, audit
from lotus.learning.lesson import AuditState
from lotus.learning.night import learn_night
from lotus.learning.payoff_scores import score
from lotus.learning.rows import rows_by_detector
from lotus.learning.signs import day_signs
from lotus.manifest import LearningDefaults
from lotus.priors.types import Literal, Rule
from lotus.simulation.learning_world import with_strata

SETTINGS = LearningDefaults()


def audit_of(scores, before=None, settings=SETTINGS):
    rows = rows_by_detector(scores, 90)["d0"]
    days = sorted(scores)[-AUDIT_DAYS:]
    bounds = np.searchsorted(rows.day, np.arange(len(rows.days) + 1))
    window = [audit_day(rows, slice(bounds[i], bounds[i + 1])) for i in range(len(rows.days))]
    signs = day_signs(7, days, settings.draws)
    return audit("d0", window[-AUDIT_DAYS:], signs, settings, before, window=window)


def changed(scores, change):
    return {day: {**columns, **change(columns)} for day, columns in scores.items()}


def by_asset(columns, change):
    """Return a column that `change` makes of each asset's windows in time order."""
    out = np.empty(len(columns["p"]))
    for name in sorted(set(columns["asset"].tolist())):
        mine = np.flatnonzero(columns["asset"] == name)
        mine = mine[np.argsort(columns["window_end_ms"][mine])]
        out[mine] = change(mine)
    return out


@pytest.fixture(scope="module")
def honest(worlds):
    """Return a world whose log is true."""
    return worlds.world("conf", seed=50)


def test_an_honest_log_raises_no_alarm(worlds):
    assert not any(audit_of(worlds.world("conf", seed=60 + k, per_block=300)).alarm for k in range(8))


def test_a_policy_that_is_deterministic_but_logs_a_probability(honest):
    lied = changed(honest, lambda c: {"published": c["p"] > 0.5})
    found = audit_of(lied)
    assert found.alarm
    assert found.dispersion_z < -6


def test_a_stale_threshold_is_caught(honest):
    shifted = changed(honest, lambda c: {"p": 1 / (1 + np.exp(-(np.log(c["p"] / (1 - c["p"])) - 0.15)))})
    found = audit_of(shifted)
    assert found.alarm
    assert found.calibration_z > 4


def test_a_propensity_off_in_one_context_is_extreme_and_alarms_the_second_night(honest):
    def tilt(columns):
        factor = np.select([columns["b_vol"] >= 3, columns["b_vol"] <= 1], [0.85, 1.2], 1.0)
        return {"p": factor * columns["p"]}

    first = audit_of(changed(honest, tilt))
    assert first.calibration_extreme
    assert not first.alarm
    second = audit_of(changed(honest, tilt), first.state)
    assert second.alarm
    assert "two nights running" in second.reason


def test_the_one_look_blocks_at_once_on_what_lies_beyond_every_draw(honest, one_look):
    def tilt(columns):
        return {"p": np.select([columns["b_vol"] >= 3, columns["b_vol"] <= 1], [0.85, 1.2], 1.0) * columns["p"]}

    found = audit_of(changed(honest, tilt), settings=one_look.learning)
    assert found.calibration_extreme
    assert found.alarm
    assert "calibration beyond every draw in some rule, at the one look" in found.reason
    assert max(abs(found.calibration_z), abs(found.placebo_z)) < 4
    assert max(abs(found.dispersion_z), abs(found.worst_stratum_z)) < 6, "nothing else would have told"


def test_an_alarm_ends_after_five_clean_nights(honest):
    state = AuditState(alarm=True, clean_nights=0)
    alarms = []
    for _ in range(6):
        result = audit_of(honest, state)
        state = result.state
        alarms.append(result.alarm)
    assert alarms == [True, True, True, True, False, False]


def test_an_alarm_blocks_new_lessons(worlds, one_look):
    rule = Rule.of(Literal(4, 3, 4))
    scores = worlds.world("plant", seed=51, lessons=((rule, 9.0),))
    blocked = learn_night(scores, one_look, audits={"d0": AuditState(alarm=True)})
    assert blocked.lessons == ()
    assert any(x.rule == rule and "audit alarm" in x.reason for x in blocked.refused)
    assert learn_night(scores, one_look).lessons


def moved_later(first, last, bps):
    """Return a change by which publishing moves the windows `first` to `last` windows after it."""

    def change(columns):
        def paid(mine):
            out = columns["payoff_p"][mine].copy()
            for k in range(first, min(last, len(mine) - 1) + 1):
                out[k:] += bps * columns["published"][mine][:-k]
            return out

        return {"payoff_p": by_asset(columns, paid)}

    return change


def test_what_publishing_moves_within_a_horizon_or_five_is_caught_though_the_next_window_is_not_moved(honest):
    spans = rows_by_detector(honest, 90)["d0"].horizon_s // 5  # windows in a horizon
    near = audit_of(changed(honest, moved_later(2, spans, 1.5)))
    assert near.alarm
    assert abs(near.placebo_z) < 4 < near.spread_z[0]
    assert "publishing moves the windows of the next horizon: z" in near.reason
    far = audit_of(changed(honest, moved_later(2 * spans, 5 * spans, 1.5)))
    assert far.alarm
    assert max(abs(far.placebo_z), abs(far.spread_z[0])) < 4 < far.spread_z[1]
    assert "publishing moves the windows of the next 5 horizons: z" in far.reason
    assert audit_of(honest).reason == ""


@pytest.fixture(scope="module")
def lesson_world(worlds):
    """Return a world with a strong lesson."""
    return worlds.world("plant", seed=51, lessons=((Rule.of(Literal(4, 3, 4)), 9.0),))


def scored(columns, paper):
    p, published, executed = columns["p"], columns["published"], columns["payoff_y"]
    return {"payoff_p": paper, "f": score(p, published, paper, executed)}


def knows(columns):
    return scored(columns, columns["payoff_p"] + 3.0 * columns["published"])


def overwritten(columns):
    return scored(columns, np.where(columns["published"], columns["payoff_y"], columns["payoff_p"]))


@pytest.mark.parametrize(
    ("change", "words"), [(knows, "know whether they were published (z"), (overwritten, "100% of the modelled payoffs")]
)
def test_a_paper_payoff_that_knows_is_not_used_and_that_is_said(lesson_world, one_look, change, words):
    lied = changed(lesson_world, change)
    found = audit_of(lied)
    assert not found.alarm, "it blocks nothing"
    assert words in found.paper_note
    assert found.paper_note.endswith("scored without them")
    night = learn_night(lied, one_look)
    assert night.audits[0].paper_note
    assert night.lessons
    assert all(night.audits[0].paper_note in lesson.warnings for lesson in night.lessons)

    def another(columns):
        return scored(
            columns, lied[columns["day"][0]]["payoff_p"] + 40.0 * columns["published"] * (columns["b_vol"] > 2)
        )

    again = learn_night(changed(lesson_world, another), one_look)
    assert again.audits[0].paper_note
    assert again.real_maximum == night.real_maximum, "whatever the modelled payoff says, it is not read"
    assert next(x.draw_maxima.rest.tobytes() for x in (night, again)) == again.draw_maxima.rest.tobytes()
    honest_night = learn_night(lesson_world, one_look)
    assert honest_night.audits[0].paper_note == ""
    assert honest_night.lessons[0].warnings == ()


@pytest.mark.parametrize(("horizons", "lag"), [(1, 0.0), (2, 1.0), (4, 2.0), (8, 4.0)])
def test_payoffs_known_later_than_declared_are_refused_with_the_distance_at_which_it_shows(honest, horizons, lag):
    steps = rows_by_detector(honest, 90)["d0"].horizon_s // 5

    def summed(columns):
        rng = np.random.default_rng(int(columns["window_end_ms"][0] % 2**31))
        paid = by_asset(columns, lambda mine: np.convolve(
            rng.normal(0.0, 3.0, len(mine) + steps * horizons - 1), np.ones(steps * horizons), "valid"
        ))  # fmt: skip
        return {"payoff_p": paid, "payoff_y": np.where(columns["published"], paid, np.nan)}

    found = audit_of(changed(honest, summed))
    assert found.late_lag == lag
    if not lag:
        assert "known later" not in found.reason
        return
    assert found.alarm
    assert found.late_correlation == pytest.approx(0.5, abs=0.1)  # half of the time of two such payoffs is shared
    assert f"payoffs {lag:g} horizons apart go along by {found.late_correlation:.2f}" in found.reason
    assert not found.state.alarm, "it speaks of the whole window; nothing of it is remembered"


def test_payoffs_that_swing_are_not_taken_for_late_ones(honest):
    """Where payoffs turn over with the market's swing, twice the distance goes along by less: below nothing."""
    horizon_ms = 1000 * rows_by_detector(honest, 90)["d0"].horizon_s

    def swinging(columns):
        rng = np.random.default_rng(int(columns["window_end_ms"][0] % 2**31))
        turns = columns["window_end_ms"] / (16 * horizon_ms) + rng.random()
        paid = rng.normal(0.0, 3.0, len(turns)) + 1.6 * np.sin(2.0 * np.pi * turns)
        return {"payoff_p": paid, "payoff_y": np.where(columns["published"], paid, np.nan)}

    found = audit_of(changed(honest, swinging))
    assert found.late_lag == 0.0
    assert "known later" not in found.reason


def test_a_changed_policy_is_refused_with_the_share_of_the_weight_beyond(honest):
    days, rng = list(honest), np.random.default_rng(0)

    def narrow_until_it_changed(columns):
        u0 = columns["u0"] if columns["day"][0] in days[-2:] else 0.1 * columns["u0"] - 5.0
        p = 1.0 / (1.0 + np.exp(-u0))
        published = rng.random(len(p)) < p
        executed = np.where(published, columns["payoff_p"] - 1.0, np.nan)
        f = score(p, published, columns["payoff_p"], executed)
        told = {"p": p, "u0": u0, "h": p * (1.0 - p), "f": f}
        return told | {"published": published, "payoff_y": executed}

    lied = with_strata(changed(honest, narrow_until_it_changed))
    found = audit_of(lied)
    rows = rows_by_detector(lied, 90)["d0"]
    far = ((rows.share > 1.5) | (rows.share < -0.5)) & (rows.day > 0)
    share = rows.h[far].sum() / rows.h.sum()
    assert 0.1 < share < 0.9
    assert found.beyond_share == pytest.approx(share, rel=1e-8)
    assert found.alarm
    assert f"{share:.0%} of the weight lies beyond the propensities of the 20 days before, above 10%" in found.reason
    quiet = audit_of(honest)
    assert quiet.beyond_share < 0.02
    assert quiet.reason == ""


def test_a_desk_that_stops_after_losses_is_seen_and_earlier_days_are_asked(worlds):
    whole = worlds.world("conf", seed=52, days=80, blocks=(0,), per_block=300)
    usual = sum(day["f"].sum() for day in whole.values()) / sum(day["h"].sum() for day in whole.values())
    limit = 0.5 * np.std([(day["f"] - usual * day["h"]).sum() for day in whole.values()])

    def stopped(columns):
        order = np.argsort(columns["window_end_ms"], kind="stable")
        lost = np.flatnonzero(np.cumsum((columns["f"] - usual * columns["h"])[order]) < -limit)
        kept = np.sort(order[: int(lost[0]) + 1 if len(lost) else None])
        return {name: values[kept] for name, values in columns.items()}

    found = audit_of(with_strata({day: stopped(columns) for day, columns in whole.items()}))
    assert found.results_t > 3.0
    assert found.results_note == f"the desk trades more after good results of the day (t {found.results_t:.1f})"
    assert not found.alarm, "it blocks nothing: earlier days are asked too"
    assert audit_of(whole).results_note == ""


def test_one_sided_days_are_told(honest):
    worst = list(honest)[6]
    crash = {**honest, worst: {**honest[worst], "f": honest[worst]["f"] - 20.0}}
    found = audit_of(crash)
    assert found.skew < -4.0
    assert "payoffs of days are one-sided" in found.skew_note
    assert audit_of(honest).skew_note == ""
