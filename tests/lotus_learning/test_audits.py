"""Audits: silent on honest logs, loud on propensities that are not the ones that drew."""

import numpy as np
import pytest

from lotus.learning.audit_sums import audit_day, following_payoff
from lotus.learning.audits import AUDIT_DAYS, audit
from lotus.learning.lesson import AuditState
from lotus.learning.night import learn_night
from lotus.learning.rows import rows_by_detector
from lotus.learning.signs import day_signs
from lotus.manifest import LearningDefaults
from lotus.priors.types import Literal, Rule

SETTINGS = LearningDefaults()


def audit_of(scores, before=None):
    rows = rows_by_detector(scores, 90)["d0"]
    days = sorted(scores)[-AUDIT_DAYS:]
    bounds = np.searchsorted(rows.day, np.arange(len(rows.days) + 1))
    sums = [audit_day(rows, slice(bounds[i], bounds[i + 1])) for i in range(len(rows.days))][-AUDIT_DAYS:]
    return audit("d0", sums, day_signs(7, days, SETTINGS.draws), SETTINGS, before)


def changed(scores, change):
    return {day: {**columns, **change(columns)} for day, columns in scores.items()}


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


def test_the_following_window_is_that_of_the_same_asset_and_day(honest):
    rows = rows_by_detector(honest, 90)["d0"]
    today = rows.day == 2
    following = following_payoff(rows.payoff_p[today], rows.asset[today])
    assert (following == 0.0).sum() == 3
    for asset in range(3):
        mine = np.flatnonzero(rows.asset[today] == asset)
        paid = rows.payoff_p[today]
        np.testing.assert_allclose(following[mine[:-1]], paid[mine[1:]] - paid.mean(), atol=1e-12)
        assert following[mine[-1]] == 0.0
