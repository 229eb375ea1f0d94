"""Two faults put in on purpose, in worlds where nothing pays: do the breeder's figures show them?

`future`: on the searched days one column is the next 30 s, and no audit looks; a fault that is seen when what reads it
enters. `span`: the gate is fed the searched days over and over in place of days to come; seen when it shows the find of
most worth. Beside it the same find on days to come (20 of them), which it must not show.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.breeding.gate_years import SPAN, shown_on
from benchmarks.breeding.sources import SOURCES
from benchmarks.lessons.claims import Claim, total
from benchmarks.lessons.evidence import Study
from lotus.coprocessor.bar import finalists
from lotus.coprocessor.breeding import Breeder, BreedPlan
from lotus.coprocessor.gate import MOST_DAYS
from lotus.coprocessor.genome import parts
from lotus.coprocessor.panel import PanelDay
from lotus.coprocessor.scoring import day_sums
from lotus.detectors.windows.row_spec import window_columns
from lotus.simulation.breeding_world import BreedingWorld, panel_of_days, world_days
from lotus.tape_machine.syntax import Name, Tree

COLUMN: Final = "aggr_imb"


@dataclass(frozen=True, slots=True)
class FaultyCase:
    """Two searches of `trials` in worlds of some windows a day; as many days are held out as are searched."""

    trials: int = 600
    windows: int = 360
    days: int = 2 * SPAN


def measure(case: FaultyCase, seed: int) -> dict[str, float | int | str]:
    """Return whether each fault is seen, and whether the gate shows the same find on days to come."""
    world = BreedingWorld("null", seed, days=case.days, assets=2, windows=case.windows)
    days = world_days(world)
    searched, held = days[:SPAN], days[-SPAN:]
    breeder = _bred(world, searched, case.trials, seed)
    best = finalists(breeder, lambda: breeder.run.trials, 1)[0]
    own, later = (
        day_sums([best.genome], [best.score.side], panel_of_days(world, part))[0, :, 0] for part in (searched, held)
    )
    again = np.resize(own, MOST_DAYS)
    leaking = _bred(world, [_leaking(day) for day in searched], case.trials, seed)
    found = finalists(leaking, lambda: leaking.run.trials, 2)
    read_it = [f for f in found if f.verdict.state == "screened" and _reads(f.genome.tree)]
    return {
        "future": int(bool(read_it)), "span": int(shown_on(np.concatenate([own, again])[None])[0] > 0),
        "to_come": int(shown_on(np.concatenate([own, later])[None])[0] > 0),
    }  # fmt: skip


def _bred(world: BreedingWorld, days: list[PanelDay], trials: int, seed: int) -> Breeder:
    breeder = Breeder(panel_of_days(world, days), BreedPlan(seed, trials), lambda charges: None)
    breeder.breed(lambda: 0.0)
    return breeder


def _leaking(day: PanelDay) -> PanelDay:
    """Return the day with a column that knows the next 30 s, at a signal to noise of one tenth."""
    table = day.table.copy()
    move = day.moves[:, 0]
    at = window_columns()[COLUMN].index
    table[:, at] = np.clip(table[:, at] + 0.1 * move / float(np.std(move)), -1.0, 1.0)
    return replace(day, table=table)


def _reads(tree: Tree) -> bool:
    return any(isinstance(part, Name) and part.name == COLUMN for _, part in parts(tree))


STUDIES = {
    "breed-sentinel": Study(
        "breed-sentinel", FaultyCase(), measure, (*SOURCES, Path(__file__)), FaultyCase(40, 60), 4.0
    )
}  # fmt: skip
CLAIMS = [
    Claim("breed-sentinel", "what reads the next 30 s enters where no audit looks", total("future"), 0.5, True),
    Claim("breed-sentinel", "the gate shows a find when it is fed the searched days", total("span"), 0.5, True),
    Claim("breed-sentinel", "the same find on 20 days to come", total("to_come")),
]
