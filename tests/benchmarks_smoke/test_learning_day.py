"""The benchmarks of a learning day run on a tiny world, and tell of every stage."""

import pytest

from benchmarks.learning_day import learned_home, measured
from benchmarks.long_history import days_before, fill
from benchmarks.long_history import measured as measured_behind
from benchmarks.material import sessions
from lotus.simulation.spec import WorldSpec
from lotus_assets.stages.order import LEARNING_STAGES

pytestmark = pytest.mark.process("a home is made, days are learned in it")


def test_every_stage_of_a_learning_day_is_timed_and_a_past_can_be_put_behind_it() -> None:
    spec = WorldSpec("demo", 7, 2, sessions=sessions(20, 8))
    with learned_home(spec) as settings:
        day = measured(settings, spec.day(1))
        assert set(day.stages) == {stage.name for stage in LEARNING_STAGES}
        assert day.rows > 0
        told = day.as_json()["seconds"]
        assert {"after_scoring", "dagster"} < set(told)
        assert told["after_scoring"]["cpu_s"] <= sum(cpu for _, cpu in day.stages.values())
        sizes = []
        for first, last in ((1, 4), (4, 8)):
            fill(settings, spec.day(0), days_before(spec.day(0), first, last))
            sizes.append(measured_behind(settings, spec.day(1), last))
    assert sizes[0].statements == sizes[1].statements


def test_days_before_count_back() -> None:
    assert days_before("2026-01-05", 1, 3) == ["2026-01-04", "2026-01-03"]
