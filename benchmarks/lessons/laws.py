"""What must be equal: cube and brute force, day cubes added up and the batch, scores of a day whatever came later.

`python -m benchmarks.lessons.laws --seeds 1-20`. Also the time of one search over a year of four blocks a day.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.lessons.claims import Claim, total
from benchmarks.lessons.command import command
from benchmarks.lessons.evidence import Study
from benchmarks.lessons.worlds import ONE_LOOK, Figures, support_of
from lotus.learning.axes import Axes, axes
from lotus.learning.boxes import box_moments, path_maxima
from lotus.learning.cube import SUMS, accumulate, atoms_of, cube_of
from lotus.learning.demean import demean
from lotus.learning.rows import DetectorRows, rows_by_detector
from lotus.learning.search import Evidence, Family, draw_maxima, evidence_of
from lotus.learning.signs import day_signs
from lotus.simulation.learning_world import FULL_DAY, market, scores_of, stream, track
from lotus.timebase import BLOCKS_PER_DAY

RULES, DRAWS = 200, 25


@dataclass(frozen=True, slots=True)
class Size:
    """Days and windows a day."""

    days: int
    windows: int = FULL_DAY


def _rows(size: Size, seed: int) -> DetectorRows:
    place = market(seed, size.days, size.windows)
    return rows_by_detector(scores_of(place, track(place, "conf")), size.days)["d0"]


def _evidence(
    rows: DetectorRows, r: NDArray[np.float64], g: NDArray[np.float64], space: Axes, family: Family
) -> Evidence:
    cube = accumulate(rows.bins, rows.lane, r, rows.n_lanes, space.subsets)
    return evidence_of(space.lean(cube), rows.lane_day, g, space, family.weight.day)


def equalities(size: Size, seed: int) -> Figures:
    """Return the largest differences: T by cube and by brute force, T and draws by day cubes and by the batch."""
    rows, space, g = _rows(size, seed), axes(), np.ones(size.days)
    r = demean(rows.basis(), rows.h, rows.f, rows.day, size.days)
    family = support_of(rows, g, ONE_LOOK)
    evidence = _evidence(rows, r, g, space, family)
    brute = 0.0
    for number in stream(seed, "brute").choice(np.flatnonzero(family.eligible), RULES, replace=False):
        inside = rows.covered(space.rule(int(number)))
        sums = np.bincount(rows.lane[inside], r[inside], rows.n_lanes)
        brute = max(brute, abs(float(sums.sum() / np.sqrt((sums**2).sum())) - float(evidence.t[number])))
    per_day = []
    for i, day in enumerate(rows.days):
        mine = rows.day == i
        block = (rows.lane[mine] % BLOCKS_PER_DAY).astype(np.uint8)
        values = dict.fromkeys(SUMS, rows.h[mine]) | {"r": r[mine], "n": rows.published[mine].astype(np.float64)}
        per_day.append(cube_of(atoms_of("d0", day, rows.bins[mine], block, values), "r"))
    plus, square = box_moments(
        space.lean(np.concatenate(per_day)), np.ones(len(per_day) * BLOCKS_PER_DAY), *space.table
    )
    t = np.where(square > 0.0, plus / np.sqrt(np.where(square > 0.0, square, 1.0)), 0.0)
    online = float(np.abs(t - evidence.t)[family.eligible].max())
    signs = day_signs(7, rows.days, DRAWS)
    added = np.zeros((DRAWS, 1, len(space.cells)))
    for i, one in enumerate(per_day):
        added += signs[i][:, None, None] * space.lean(one.sum(axis=0)[None])
    inverse = np.where(family.eligible, 1.0 / np.where(family.eligible, square, 1.0), 0.0)
    lone = [path_maxima(a, np.ones((1, 1)), inverse, space.length, *space.table)[:, 0] for a in added]
    best = np.max([0.5 * np.array(lone)[:, n] - space.price[n] for n in (1, 2, 3)], axis=0)
    draws = float(np.abs(best - draw_maxima(evidence, family.eligible, signs, space)).max())
    held = {"brute_held": int(brute <= 1e-5), "online_held": int(max(online, draws) <= 1e-5)}
    return {**held, "brute_gap": brute, "online_gap": online, "draws_gap": draws}


def past_scores(size: Size, seed: int) -> Figures:
    """Return whether scores and residuals of the first half are the same bits when later days are altered or absent."""
    place = market(seed, size.days, size.windows)
    scores = scores_of(place, track(place, "conf"))
    half = size.days // 2
    early = {day: scores[day] for day in place.days[:half]}
    altered = {
        day: {**t, "f": np.asarray(t["f"], dtype=np.float64) + 1.0} if day not in early else t
        for day, t in scores.items()
    }
    kept = []
    for known in (early, scores, altered):
        rows = rows_by_detector(known, size.days)["d0"]
        r = demean(rows.basis(), rows.h, rows.f, rows.day, len(rows.days))[: half * size.windows]
        values = dict.fromkeys((*SUMS, "n"), r)
        cube = atoms_of("d0", rows.days[0], rows.bins[: len(r)], np.zeros(len(r), np.uint8), values)
        kept.append((r.tobytes(), cube["r"].tobytes()))
    return {"same_bits": int(kept[0] == kept[1] == kept[2])}


def year_search(size: Size, seed: int) -> Figures:
    """Return CPU seconds of one search (statistics of all rules and 400 draws) over four blocks a day."""
    rows, space, g = _rows(size, seed), axes(), np.ones(size.days)
    family = support_of(rows, g, ONE_LOOK)
    began = time.process_time()
    evidence = _evidence(rows, rows.f, g, space, family)
    cubed = time.process_time()
    draw_maxima(evidence, family.eligible, day_signs(7, rows.days, ONE_LOOK.draws), space)
    drawn = time.process_time()
    box_moments(np.zeros((rows.n_lanes, len(space.cells))), np.ones(rows.n_lanes), *space.table)
    search = drawn - cubed + time.process_time() - drawn
    eligible = int(family.eligible.sum())
    return {"rules": eligible, "in_time": int(search <= 2.0), "search_s": round(search, 3), "cube_s": cubed - began}


_HERE, _SMALL = (Path(__file__),), Size(12, 432)
STUDIES = {
    "laws": Study("laws", Size(20), equalities, _HERE, _SMALL, 2.0),
    "past-scores": Study("past-scores", Size(20), past_scores, _HERE, _SMALL, 1.0),
    "search-365": Study("search-365", Size(365), year_search, _HERE, _SMALL, 15.0),
}
CLAIMS = [
    Claim("laws", "cube T within 1e-5 of brute force, 200 rules a world", total("brute_held"), 1.0, at_least=True),
    Claim("laws", "day cubes added up within 1e-5 of the batch", total("online_held"), 1.0, at_least=True),
    Claim("past-scores", "same bits whatever comes later", total("same_bits"), 1.0, at_least=True),
    Claim("search-365", "search of 365 days x 4 blocks, 400 draws within 2 s", total("in_time"), 1.0, at_least=True),
]

if __name__ == "__main__":
    raise SystemExit(command(STUDIES, CLAIMS, __doc__ or ""))
