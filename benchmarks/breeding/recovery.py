"""Does the breeder find what is planted more often than others do, and what enters where nothing is?

`python -m benchmarks.breeding.recovery --row breed-typed --seeds 1-24`. Two assets, 360 windows a day, 20 days searched
and 20 held out, daily signal to noise of 2; 3,000 trials where something is planted, 1,000 where nothing is.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from benchmarks.breeding import sentinels
from benchmarks.breeding.sources import SOURCES
from benchmarks.breeding.world_run import ARMS, BreedingCase, measure
from benchmarks.lessons.claims import Claim, Counts, total
from benchmarks.lessons.command import command
from benchmarks.lessons.evidence import Row, Study
from lotus.simulation.breeding_world import ORACLES

NULL_TRIALS = 1_000


def study(name: str, case: BreedingCase, cost: float) -> Study:
    """Return the study of an arm in worlds of a kind."""
    return Study(name, case, measure, SOURCES, replace(case, trials=60, days=8, windows=90), cost)


STUDIES = {
    s.name: s
    for s in (
        *(study(f"breed-{arm}", BreedingCase(arm), 8.0) for arm in ARMS),
        *(study(f"breed-null-{arm}", BreedingCase(arm, "null", NULL_TRIALS), 3.0) for arm in ARMS),
        study("breed-confounded", BreedingCase("typed", "confounded", NULL_TRIALS), 3.0),
        *sentinels.STUDIES.values(),
    )
}


def of_shape(shape: str) -> Callable[[Sequence[Row]], Counts]:
    """Return a counter of the worlds of a shape in which an entrant keeps 60 % of the oracle's edge."""
    return lambda rows: total("found")([row for row in rows if row["shape"] == shape])


KEEPS = "the better entrant keeps 60 % of the oracle's held-out edge"
CLAIMS = [
    Claim("breed-typed", KEEPS, total("found"), 0.8, at_least=True),
    *(Claim("breed-typed", f"the same where a {shape} is planted", of_shape(shape),
            0.6 if shape == "sequence" else None, at_least=True) for shape in ORACLES),
    Claim("breed-typed", "the find of most worth keeps 60 %, bar or no bar", total("first")),
    *(Claim(f"breed-{arm}", what, total(column)) for arm in ARMS if arm != "typed"
      for what, column in ((KEEPS, "found"), ("the find of most worth keeps 60 %, bar or no bar", "first"))),
    *(Claim(f"breed-null-{arm}", "something enters where nothing is planted", total("enters")) for arm in ARMS),
    *(Claim(f"breed-null-{arm}", "what the rule of the arm would promote there, per world", total("own"))
      for arm in ("gplearn", "pool")),
    Claim("breed-confounded", "something enters where columns move the size of moves only", total("enters")),
    *sentinels.CLAIMS,
]  # fmt: skip

if __name__ == "__main__":
    raise SystemExit(command(STUDIES, CLAIMS, __doc__ or ""))
