"""One detector's day as sums: everything a night needs of it when nothing is promoted, and nothing of any window.

A day's sums are made once, from that day's windows alone, and never change while the rules in the baseline stay the
same (`baseline_key`); a night stacks those of its window. So its cost does not depend on the history, and reading
stored sums gives the bits that the windows would give. Storing them and deciding with them is others' work. In the
literature: sufficient statistics, partial aggregates.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus.errors import SchemaError
from lotus.hashing import natural_id
from lotus.learning.audit_sums import AUDIT_ARRAYS, AuditDay, audit_day
from lotus.learning.axes import N_CELLS, SIDE, Axes
from lotus.learning.boxes import box_presence
from lotus.learning.cube import accumulate_all
from lotus.learning.demean import demean
from lotus.learning.forward import centred
from lotus.learning.lanes import Both
from lotus.learning.rows import DetectorRows
from lotus.priors.types import Rule
from lotus.timebase import BLOCKS_PER_DAY

PRESENT = 1e-6  # a block counts when its overlap weight exceeds rounding error

Floats = NDArray[np.float64]
Arrays = dict[str, NDArray[np.generic]]


@dataclass(frozen=True, slots=True)
class DayCube:
    """Sums of one detector and day over cells [c] (`Axes.cells`): per six-hour block weighed r, h [4, c] of both lanes.

    `rest_r`, `rest_h` are those of lane F (`forward`), `rest_all` [4, 2] their sums over all windows, in a cell or not;
    published [c] windows of the day.

    `present` [4] tells which blocks hold windows, `blocks` uint8 [n_rules] in how many of them each rule has weight.
    `baseline`: key of the rules the scores were demeaned on.
    """

    detector_id: str
    day: str
    spec_version: int
    horizon_s: int
    baseline: str
    windows: int
    n_published: int
    overlap: int
    sum_h: float
    present: NDArray[np.bool_]
    r: Floats
    h: Floats
    rest_r: Floats
    rest_h: Floats
    rest_all: Floats
    published: NDArray[np.uint32]
    blocks: NDArray[np.uint8]
    audit: AuditDay


def baseline_key(believed: Sequence[Rule]) -> str:
    """Return the identity of a set of rules in the baseline."""
    return natural_id("baseline", *sorted(repr(rule) for rule in believed))


def day_cubes(rows: DetectorRows, believed: tuple[Rule, ...], space: Axes) -> list[DayCube]:
    """Return the sums of every day of `rows` that holds windows, oldest first."""
    bounds = np.searchsorted(rows.day, np.arange(len(rows.days) + 1))
    spans = [slice(a, b) for a, b in pairwise(bounds) if b > a]
    return [_day_cube(rows, span, believed, space) for span in spans]


def _day_cube(rows: DetectorRows, span: slice, believed: tuple[Rule, ...], space: Axes) -> DayCube:
    weighed, bins, published = rows.weighed(), rows.bins[span], rows.published[span]
    h, basis = weighed.h[span], rows.basis(believed, span)
    r = demean(basis, h, weighed.f[span], np.zeros(len(h), dtype=np.int64), 1)
    block, rest = rows.block[span], weighed.forward(basis, span)
    values = np.stack([r, h, rest.r, rest.weight])
    cubes = accumulate_all(bins, block, values, BLOCKS_PER_DAY, space.subsets)
    once = np.zeros(int(published.sum()), dtype=np.int64)
    taken = accumulate_all(bins[published], once, np.ones((1, len(once))), 1, space.subsets)
    sum_r, sum_h, rest_r, rest_h = (space.lean(cube) for cube in cubes)
    blocks = box_presence(sum_h, PRESENT, *space.table)
    return DayCube(
        detector_id=rows.detector_id,
        day=rows.days[int(rows.day[span.start])],
        spec_version=rows.spec_version,
        horizon_s=rows.horizon_s,
        baseline=baseline_key(believed),
        windows=len(h),
        n_published=len(once),
        overlap=int((h > 0.0).sum()),
        sum_h=float(h.sum()),
        present=np.bincount(block, minlength=BLOCKS_PER_DAY) > 0,
        r=sum_r,
        h=sum_h,
        rest_r=rest_r,
        rest_h=rest_h,
        rest_all=np.stack(
            [np.bincount(block, weights=x, minlength=BLOCKS_PER_DAY) for x in (rest.r, rest.weight)], axis=1
        ),
        published=space.lean(taken[0])[0].astype(np.uint32),
        blocks=blocks.astype(np.uint8),
        audit=audit_day(rows, span),
    )


@dataclass(frozen=True, slots=True)
class Stack:
    """The days of one detector in a night's window: r, h [blocks, c] of both lanes where windows are, published [c].

    r of lane F is `forward.centred`.

    `lane_day` [lanes] and `day_index` (one per own day) count in the learning days common to all detectors (`days`).
    """

    detector_id: str
    horizon_s: int
    days: tuple[str, ...]
    day_index: tuple[int, ...]
    lane_day: NDArray[np.int64]
    r: Both[Floats]
    h: Both[Floats]
    published: Floats
    space: Axes
    blocks: NDArray[np.int64]
    days_present: NDArray[np.int64]
    cubes: tuple[DayCube, ...]

    def inside(self, values: Floats, subset: int) -> Floats:
        """Return the cube [k, 5, 5, 5] of one subset from sums [k, c]."""
        first, last = np.searchsorted(self.space.cells, [subset * N_CELLS, (subset + 1) * N_CELLS])
        out = np.zeros((len(values), N_CELLS))
        out[:, self.space.cells[first:last] - subset * N_CELLS] = values[:, first:last]
        return out.reshape(len(values), SIDE, SIDE, SIDE)

    def total(self, name: str) -> float:
        """Return the sum over the days of a count or weight of `DayCube`."""
        return float(sum(getattr(cube, name) for cube in self.cubes))


def stacked(cubes: Sequence[DayCube], days: tuple[str, ...], space: Axes) -> Stack:
    """Return the cubes of one detector (at least one, oldest first) beside each other; only the newest version counts.

    Raises `SchemaError` when they were demeaned on different baselines.
    """
    newest = max(cube.spec_version for cube in cubes)
    kept = tuple(cube for cube in cubes if cube.spec_version == newest and cube.day in days)
    if len({cube.baseline for cube in kept}) > 1:
        raise SchemaError("day cubes of one detector have different baselines", "one set of rules", "a stale file")
    index = [days.index(cube.day) for cube in kept]
    present = np.concatenate([cube.present for cube in kept])
    blocks = np.zeros(len(kept[0].blocks), dtype=np.int64)
    days_present = np.zeros_like(blocks)
    for cube in kept:
        blocks += cube.blocks
        days_present += cube.blocks > 0
    block_day = np.repeat(np.array(index, dtype=np.int64), BLOCKS_PER_DAY)[present]
    r, h, rest_r, rest_h, total = (_beside(kept, name) for name in ("r", "h", "rest_r", "rest_h", "rest_all"))
    return Stack(
        detector_id=kept[-1].detector_id,
        horizon_s=kept[-1].horizon_s,
        days=days,
        day_index=tuple(index),
        lane_day=block_day,
        r=Both(r, centred(rest_r, rest_h, total[:, 0], total[:, 1], block_day)),
        h=Both(h, rest_h),
        published=np.sum([cube.published for cube in kept], axis=0, dtype=np.float64),
        space=space,
        blocks=blocks,
        days_present=days_present,
        cubes=kept,
    )


def _beside(cubes: Sequence[DayCube], name: str) -> Floats:
    """Return an array of every cube, the present blocks only, one after the other."""
    parts = [(getattr(cube, name), cube.present) for cube in cubes]
    return np.concatenate([x if present.all() else x[present] for x, present in parts])


_FACTS = ("detector_id", "day", "spec_version", "horizon_s", "baseline", "windows", "n_published", "overlap", "sum_h")
_ARRAYS = ("present", "r", "h", "rest_r", "rest_h", "rest_all", "published", "blocks")


def packed(cube: DayCube) -> tuple[dict[str, str | int | float], Arrays]:
    """Return (facts, arrays) of a day cube, to be stored."""
    arrays: Arrays = {name: getattr(cube, name) for name in _ARRAYS}
    audit = {f"audit_{name}": getattr(cube.audit, name) for name in AUDIT_ARRAYS}
    return {name: getattr(cube, name) for name in _FACTS}, arrays | audit


def unpacked(facts: Mapping[str, str | int | float], arrays: Mapping[str, NDArray[Any]]) -> DayCube:
    """Return the day cube of `packed`; its arrays are those given."""
    return DayCube(
        detector_id=str(facts["detector_id"]),
        day=str(facts["day"]),
        spec_version=int(facts["spec_version"]),
        horizon_s=int(facts["horizon_s"]),
        baseline=str(facts["baseline"]),
        windows=int(facts["windows"]),
        n_published=int(facts["n_published"]),
        overlap=int(facts["overlap"]),
        sum_h=float(facts["sum_h"]),
        **{name: arrays[name] for name in _ARRAYS},
        audit=AuditDay(*(arrays[f"audit_{name}"] for name in AUDIT_ARRAYS)),
    )
