"""A pipeline that is rebuilt for a day is the one that ran through it."""

import pytest
from tapes import MANIFEST, UNIVERSE, in_order, market, numbered

from lotus.detectors.registry import shipped_detectors
from lotus.detectors.scoring.scored import columns_of
from lotus.detectors.scoring.signal_spec import K_END
from lotus.timebase import day_start_ms
from lotus_live.parity import events_hash, neutral_beliefs
from lotus_live.pipeline.day_lane import LaneSpec
from lotus_live.pipeline.lines import Pipeline

D1, D2, D3 = "2026-03-03", "2026-03-04", "2026-03-05"
SPEC = LaneSpec(MANIFEST, UNIVERSE, shipped_detectors(), "main")


def at(day: str, hour: float) -> int:
    """Return a stamp in ns."""
    return (day_start_ms(day) + int(hour * 3_600_000)) * 1_000_000


@pytest.mark.process("a day live, twice")
def test_a_rebuilt_day_is_the_day_that_ran_through() -> None:
    lines = numbered(in_order(market(D2, "21:30", 9900, step_ms=6000, seed=5)))
    birth = at(D3, -2)

    def day_three(pipeline: Pipeline, first_ns: int) -> str:
        scored = [e for line in lines if line.recv_ns >= first_ns for e in pipeline.feed(*line).scored]
        return events_hash(columns_of([e for e in scored if e.ints[0, K_END] > day_start_ms(D3)]))

    through = Pipeline(SPEC, neutral_beliefs(SPEC))
    rebuilt = Pipeline(SPEC, neutral_beliefs(SPEC), first_day=D3)
    blank = Pipeline(SPEC, neutral_beliefs(SPEC))
    assert day_three(through, 0) == day_three(rebuilt, birth) != day_three(blank, at(D3, 0))
    assert [lane.day for lane in rebuilt.days] == [D3]
    assert [lane.day for lane in through.days] == [D2, D3]
