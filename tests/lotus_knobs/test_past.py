"""Sums of earlier days: a run that keeps them makes one day a night and decides, bit for bit, what one without does."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from lotus.knobs.nightly import KnobEvidence, KnobMemory, KnobRun, learn_knobs
from lotus.knobs.past import KnobPast
from lotus.knobs.rows import Table, rows_of
from lotus.learning.axes import axes
from lotus.learning.day_cube import DayCube, day_cubes, packed
from lotus.learning.rows import rows_by_detector
from lotus.priors.types import Literal, Rule, priors_0
from lotus.timebase import HOUR_MS, day_start_ms, next_day

from .knob_lives import FIRST, KEYS, MANIFEST, RETRY, trials

HIGH = Rule.of(Literal(0, 3, 4))


@dataclass
class Kept:
    """Sums in memory, and of which days they were made."""

    made: list[str] = field(default_factory=list)
    held: dict[tuple[str, ...], DayCube] = field(default_factory=dict)

    def sums(self, day: str, owner: str, key: str, paper: bool, make: Callable[[], DayCube]) -> DayCube:
        place = (day, owner, key, str(paper))
        if place not in self.held:
            self.made.append(day)
            self.held[place] = make()
        return self.held[place]


def table_of(number: int, day: str) -> Table:
    """Trials of a day in which moving pays where the volatility is high; horizons and numbers differ by day."""
    seen = trials(1, number, day, lambda _, bins: 4.0 if bins[0] >= 3 else 0.0, 400 if number % 3 else 250)
    return rows_of([replace(one, horizon_s=60 + 30 * (number % 2)) for one in seen], day, {})


def nights(kept: Kept | None, n: int) -> list[KnobRun]:
    scores: dict[str, Table] = {}
    day, memory, board, version, out = FIRST, KnobMemory(), (), priors_0("main"), []
    for number in range(n):
        scores[day] = table_of(number, day)
        swap = day_start_ms(next_day(day)) + 2 * HOUR_MS
        evidence = KnobEvidence(scores, day, KEYS, version, board, effective_from_ms=swap, kept=kept)
        run = learn_knobs(evidence, MANIFEST, memory)
        day, memory, board, version = next_day(day), run.memory, run.woven.braids, run.woven.priors
        out.append(run)
    return out


@pytest.mark.evidence("worlds of many nights, twice")
def test_a_run_that_keeps_sums_decides_the_same_bits() -> None:
    kept = Kept()
    with_sums, without = nights(kept, 16), nights(None, 16)
    assert [repr(run) for run in with_sums] == [repr(run) for run in without]
    assert [run.memory for run in with_sums] == [run.memory for run in without]
    assert any(braid.in_force for braid in with_sums[-1].woven.braids), "baselines changed on the way"


@pytest.mark.parametrize("believed", [(), (HIGH,)])
@pytest.mark.parametrize("paper", [True, False])
def test_the_sums_of_a_day_alone_are_those_of_the_whole_window(believed: tuple[Rule, ...], paper: bool) -> None:
    days = [next_day(FIRST, number) for number in range(5)]
    tables = {day: table_of(number, day) for number, day in enumerate(days) if number != 2}
    (rows,) = rows_by_detector(tables, 90).values()
    space, kept = axes(2), Kept()
    whole = day_cubes(rows if paper else rows.without_paper(), believed, space)
    alone = KnobPast(rows, kept).cubes(believed, space, paper)
    assert [cube.day for cube in alone] == [day for day in days if day in tables]
    for one, other in zip(alone, whole, strict=True):
        (facts, arrays), (facts_of, arrays_of) = packed(one), packed(other)
        assert facts == facts_of
        assert {name: values.tobytes() for name, values in arrays.items()} == {
            name: values.tobytes() for name, values in arrays_of.items()
        }
    assert KnobPast(rows, kept).cubes(believed, space, paper) == alone
    assert len(kept.made) == 4, "a day is made once"
    assert len(KnobPast(rows, kept).cubes((*believed, Rule.of(Literal(5, 0, 1))), space, paper)) == 4
    assert len(kept.made) == 8, "and anew over another baseline"


def test_sums_of_another_horizon_are_made_anew() -> None:
    kept, tables = Kept(), {FIRST: table_of(0, FIRST)}
    (rows,) = rows_by_detector(tables, 90).values()
    for horizon_s in (60, 90, 60):
        KnobPast(replace(rows, horizon_s=horizon_s), kept).cubes((), axes(2))
    assert len(kept.made) == 2
    assert np.isfinite(kept.held[next(iter(kept.held))].r).all()
    assert rows.detector_id == RETRY.owner
