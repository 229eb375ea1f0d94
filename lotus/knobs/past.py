"""What a run over knobs learns from: windows at hand, and the sums of their days where those were made before.

A day's sums follow from that day's windows, the horizon of the newest one and the rules in the baseline. Whoever keeps
them (`KeptSums`) spares a run every day but its own; a run without gives the same bits. What the sums are is
`lotus.learning.day_cube`; nothing is read or stored here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Protocol

import numpy as np

from lotus.hashing import natural_id
from lotus.learning.axes import Axes
from lotus.learning.day_cube import DayCube, baseline_key, day_cubes
from lotus.learning.rows import DetectorRows, lanes_of
from lotus.priors.types import Rule

_BY_WINDOW = frozenset(field.name for field in fields(DetectorRows)) - {
    "vocabulary", "detector_id", "spec_version", "horizon_s", "days", "lane_day", "lane", "day", "assets",
}  # fmt: skip


class KeptSums(Protocol):
    """Where the sums of a knob's days are kept."""

    def sums(self, day: str, owner: str, key: str, paper: bool, make: Callable[[], DayCube]) -> DayCube:
        """Return the sums of a day under `key`, made and kept where they are missing; `paper` as in `KnobPast`."""


@dataclass(frozen=True, slots=True)
class KnobPast:
    """The windows of one knob in the run's days, and where sums of those days are kept: a `Source` of the night."""

    table: DetectorRows
    kept: KeptSums

    def cubes(self, believed: tuple[Rule, ...], space: Axes, paper: bool = True) -> Sequence[DayCube]:
        """Return the sums of its days, oldest first; without `paper` scored as if no payoff had been modelled."""
        table, baseline = self.table, baseline_key(believed)
        key = natural_id(baseline, len(space.subsets), table.horizon_s, table.spec_version)
        out = []
        for index in np.unique(table.day).tolist():

            def make(index: int = index) -> DayCube:
                rows = day_of(table, index)
                return day_cubes(rows if paper else rows.without_paper(), believed, space)[0]

            out.append(self.kept.sums(table.days[index], table.detector_id, key, paper, make))
        return out

    def rows(self) -> DetectorRows:
        """Return its windows in the run's window."""
        return self.table


def day_of(rows: DetectorRows, index: int) -> DetectorRows:
    """Return the windows of one of the days of `rows`, whose only day it becomes."""
    first, end = np.searchsorted(rows.day, [index, index + 1])
    day = np.zeros(int(end - first), dtype=np.int64)
    lane_day, lane = lanes_of(day, rows.block[first:end])
    cut = {name: getattr(rows, name)[first:end] for name in _BY_WINDOW}
    return replace(rows, days=(rows.days[index],), day=day, lane_day=lane_day, lane=lane, **cut)
