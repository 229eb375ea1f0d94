"""Checks on a night's lessons: doctored rows fail, a night without a belief says that nothing was looked at."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lotus.learning.lanes import Both
from lotus.learning.lesson import LaneEffect, Lesson
from lotus.learning.night import NightResult
from lotus.learning.slots import Look, SlotState, allowance
from lotus.manifest import LearningDefaults
from lotus.priors.types import Literal, Rule
from lotus_assets.stages.context import CheckOutcome
from lotus_assets.stages.learning.lesson_checks import lesson_checks

SETTINGS = LearningDefaults()
LANE = LaneEffect(12.0, 1.0, (10.0, 14.0), 4.0, 4.6, 4.0, 5.0, 1.0)
NIGHT = 14  # learning days so far
ALLOWED = allowance(NIGHT, SETTINGS.draws, SETTINGS.alpha)


def lesson(**changes: Any) -> Lesson:
    """An accepted lesson that passes everything."""
    base = Lesson(
        lesson_id="", branch="b", night="2026-01-17", detector_id="d", horizon_s=30, rule=Rule.of(Literal(7, 0, 1)),
        sign=1, uplift_bps=12.0, se_bps=1.0, ci95=(10.0, 14.0), lcb_bps=4.0, claim_bps=10.2, net_mean_bps=6.0,
        net_low_bps=3.0, net_high_bps=9.0, sigma_y_bps=10.0, m_nats=5.0, t_stat=4.6, recent_t=4.0, critical=1.0,
        n_windows=4000, n_published=500, ess=400.0, n_days=13, n_blocks=26, n_eff_days=11.0, coverage=0.4,
        fill_share=1.0, trials=174965, grade="B", state="IDENTIFIED", lanes=(LANE, LANE),
    )  # fmt: skip
    return replace(base, **changes).named()


def night(*lessons: Lesson, spent: int = ALLOWED, **changes: Any) -> NightResult:
    """A night that looked, with these lessons."""
    refused = lesson(state="REFUSED", reason="evidence", detector_id="e")
    slots = Both(SlotState(spent), SlotState(spent))
    base = NightResult(
        night="2026-01-18", n_days=NIGHT, looked=True, slots_tonight=1, critical=Both(1.0, 1.0), trials=174965,
        real_maximum=Both(5.0, 5.0), lessons=lessons, refused=(refused,), audits=(), reports=(), slots=slots,
        draw_maxima=Both(np.zeros(0), np.zeros(0)), pooled=Look(0, math.inf, SlotState()),
    )  # fmt: skip
    return replace(base, **changes)


def checked(found: NightResult, *in_force: Lesson, days: int = NIGHT, **settings: Any) -> dict[str, CheckOutcome]:
    """Return the checks by name."""
    return {x.name: x for x in lesson_checks(found, days, in_force, replace(SETTINGS, **settings))}


def test_a_sound_night_passes_all_of_them_and_says_what_it_looked_at() -> None:
    found = checked(night(lesson()), lesson(detector_id="before"))
    assert list(found) == ["significant", "support", "error_budget", "whole"]
    assert all(x.passed and not x.unseen for x in found.values())
    assert found["significant"].text == "2 of 2 lessons exclude zero and passed both lanes"
    assert found["error_budget"].text.startswith(f"spent {ALLOWED} and {ALLOWED} of {ALLOWED} alpha slots")
    assert found["whole"].text == "2 rows: 1 accepted, 0 proposed, 1 refused"


def test_a_night_without_a_belief_has_nothing_to_look_at() -> None:
    found = checked(night())
    assert [name for name, x in found.items() if x.unseen] == ["significant", "support"]
    assert found["support"].text == "nothing was looked at: no lesson tonight, and none in force"
    early = checked(night(spent=0, slots_tonight=0, looked=False), days=9)["error_budget"]
    assert early.text.startswith("spent 0 and 0 of 0 alpha slots")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ci95": (-0.5, 24.5)}, "95 % interval -0.50 to +24.50 bps holds zero"),
        ({"sign": -1}, "uplift +12.00 bps against its sign"),
        ({"lcb_bps": 0.0}, "bound of its size 0.00 bps"),
        ({"lanes": (LANE, replace(LANE, m_nats=0.9))}, "a lane is not beyond its bar"),
    ],
)
def test_what_is_not_beyond_chance_is_told_and_stops_nothing(changes: dict[str, Any], words: str) -> None:
    found = checked(night(lesson(**changes)))["significant"]
    assert (found.passed, found.blocking) == (False, False)
    assert words in found.text
    assert not checked(night(), lesson(**changes))["significant"].passed, "one in force is looked at, too"


def test_a_negative_lesson_is_judged_on_its_own_side() -> None:
    down = replace(LANE, uplift_bps=-12.0, ci95=(-14.0, -10.0), recent_t=-4.0)
    negative = lesson(sign=-1, uplift_bps=-12.0, ci95=(-14.0, -10.0), recent_t=-4.0, lanes=(down, down))
    found = checked(night(negative))
    assert found["significant"].passed
    assert found["support"].passed


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"n_days": 9}, "9 days, below 10"),
        ({"coverage": 0.001}, "covers 0.1% of the weight"),
        ({"lanes": (LANE, replace(LANE, recent_t=1.0))}, "t of the newest days 1.00"),
    ],
)
def test_thin_support_is_told(changes: dict[str, Any], words: str) -> None:
    found = checked(night(lesson(**changes)))["support"]
    assert (found.passed, found.blocking) == (False, False)
    assert words in found.text


def test_an_overspent_year_a_lesson_without_a_look_and_one_charged_too_little_block() -> None:
    for wrong in (
        night(lesson(), spent=ALLOWED + 1),
        night(lesson(), looked=False),
        night(lesson(trials=5)),
    ):
        found = checked(wrong)["error_budget"]
        assert (found.passed, found.blocking) == (False, True)
    lowered = checked(night(spent=ALLOWED + 1, slots_tonight=0))["error_budget"]
    assert lowered.passed, "alpha was lowered: nothing is spent until the year allows it again"


def test_one_look_and_online_control_are_named() -> None:
    assert checked(night(), looks="final")["error_budget"].text.startswith("one analysis at alpha 0.04")
    quiet = checked(night(looked=False), looks="final")["error_budget"]
    assert (quiet.passed, quiet.text) == (True, "one analysis at alpha 0.04, not tonight: nothing spent, 0 accepted")
    assert not checked(night(lesson(), looked=False), looks="final")["error_budget"].passed
    assert "online FDR" in checked(night(), error_control="online_fdr")["error_budget"].text


def test_rows_that_lost_their_name_or_place_block() -> None:
    sound, refused = lesson(), night().refused[0]
    for wrong in (
        night(sound, sound),
        night(replace(sound, uplift_bps=13.0)),
        night(lesson(state="REFUSED")),
        night(refused=(sound,)),
        night(refused=(refused, replace(refused, reason="other"))),
    ):
        found = checked(wrong)["whole"]
        assert (found.passed, found.blocking) == (False, True)
    assert checked(night(refused=()))["whole"].unseen
