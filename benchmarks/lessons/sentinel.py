"""A procedure known to be wrong, in worlds where it must be caught: it guards the studies that speak for the product.

`python -m benchmarks.lessons.sentinel --seeds 1-100`. Null worlds whose days differ (4 bps): the baseline is pooled
over all days instead of fitted inside each, and signs are drawn by the hour instead of by the day. The effect of a day
then looks like an effect of whatever context was slow that day, and the draws do not know it. Beside it the product.
"""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.lessons.claims import Claim, total
from benchmarks.lessons.command import command
from benchmarks.lessons.evidence import Study
from benchmarks.lessons.worlds import ONE_LOOK, Figures, World, made, manifest_of, support_of
from lotus.learning.axes import axes
from lotus.learning.boxes import box_moments, path_maxima
from lotus.learning.cube import accumulate
from lotus.learning.demean import demean
from lotus.learning.night import learn_night
from lotus.learning.rows import DetectorRows, day_weights, rows_by_detector
from lotus.learning.search import one_look_critical
from lotus.learning.signs import day_signs
from lotus.manifest import LearningDefaults
from lotus.simulation.learning_world import FULL_DAY, scores_of

HOURS = 24


def measure(world: World, seed: int) -> Figures:
    """Return whether the wrong procedure and the product find anything in a world of nothing."""
    place, one, _ = made(world, seed)
    scores = scores_of(place, one)
    began = time.process_time()
    rows = rows_by_detector(scores, world.learning.search_days)[one.detector_id]
    wrong = pooled_and_hourly(rows, world.learning)
    result = learn_night(scores, manifest_of(world.learning))
    return {"wrong_any": int(wrong), "any": int(bool(result.lessons)), "cpu_s": round(time.process_time() - began, 3)}


def pooled_and_hourly(rows: DetectorRows, settings: LearningDefaults) -> bool:
    """Tell whether the best rule is beyond its bar with a baseline pooled over days and signs by the hour."""
    space, once = axes(settings.max_literals), np.zeros(len(rows), np.int64)
    family = support_of(rows, day_weights(len(rows.days), settings.half_life_days), settings)
    r = demean(rows.basis(), rows.h, rows.f, once, 1)
    n_hours = HOURS * len(rows.days)
    hour = np.arange(len(rows), dtype=np.int64) * n_hours // len(rows)
    cube = space.lean(accumulate(rows.bins, hour, r, n_hours, space.subsets))
    total_r, square = box_moments(cube, np.ones(n_hours), *space.table)
    usable = family.eligible & (square > 0.0)
    inverse = np.where(usable, 1.0 / np.where(usable, square, 1.0), 0.0)
    signs = day_signs(settings.seed, [f"hour {i}" for i in range(n_hours)], settings.draws)
    squares = path_maxima(cube, signs, inverse, space.length, *space.table)
    best = np.max([0.5 * squares[n] - space.price[n] for n in (1, 2, 3)], axis=0)
    real = np.where(usable, 0.5 * total_r**2 * inverse - space.prices(), -np.inf).max()
    return bool(real > one_look_critical(best, settings.alpha))


_WORLD = World("null", 20, windows=FULL_DAY // 4, day_sd_bps=4.0)
_SMALL = replace(_WORLD, windows=432, learning=replace(ONE_LOOK, max_literals=2))
_HERE = tuple(Path(__file__).with_name(name) for name in ("sentinel.py", "worlds.py"))
STUDIES = {"sentinel": Study("sentinel", _WORLD, measure, _HERE, _SMALL, 2.0)}
CLAIMS = [
    Claim("sentinel", "pooled baseline, signs by the hour: must be caught", total("wrong_any"), 0.10, at_least=True),
    Claim("sentinel", "the product in the same worlds", total("any"), 0.05),
]

if __name__ == "__main__":
    raise SystemExit(command(STUDIES, CLAIMS, __doc__ or ""))
