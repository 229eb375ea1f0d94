"""The past of one detector: its days are summed one at a time, and once per baseline where nightly runs are replayed.

A nightly run of `lotus.learning.night` asks a source for the sums of its days, and for windows only when a rule passes
the bar; so at most one detector's windows are laid out at a time. Kept sums fall away with the search window, and all
of them when the baseline changes.
"""

from collections.abc import Mapping, Sequence

from lotus.learning.axes import Axes
from lotus.learning.day_cube import DayCube, day_cubes
from lotus.learning.payoff_scores import Columns
from lotus.learning.rows import DetectorRows, rows_by_detector
from lotus.own_signals.days import Days
from lotus.priors.types import Rule
from lotus.priors.vocabulary import Vocabulary

_BYTES = 9000  # of a day and subset: r and h in four blocks, published windows


class Past:
    """One detector's columns by day (empty on days of others); `move` sets the days of the run that asks.

    When the sums of its days need more than `kept_bytes`, they are made anew in every run.
    """

    def __init__(
        self, detector_id: str, scores: Mapping[str, Columns], vocabulary: Vocabulary, kept_bytes: int = 2**32
    ) -> None:
        self._name, self._scores, self._vocabulary, self._room = detector_id, scores, vocabulary, kept_bytes
        self._own = frozenset(day for day, table in scores.items() if len(table["p"]))
        self._window: tuple[str, ...] = ()
        self._scored: tuple[tuple[Rule, ...], bool] = ((), True)
        self._kept: dict[str, DayCube] = {}

    def move(self, window: Sequence[str]) -> bool:
        """Set the days of the run, oldest first; return whether the detector has windows in them."""
        self._window = tuple(window)
        self._kept = {day: cube for day, cube in self._kept.items() if day in self._window}
        return not self._own.isdisjoint(self._window)

    def cubes(self, believed: tuple[Rule, ...], space: Axes, paper: bool = True) -> Sequence[DayCube]:
        """Return the sums of the run's days; only days that are new, or all under a new baseline, are made."""
        if (believed, paper) != self._scored:
            self._kept, self._scored = {}, (believed, paper)
        own = [day for day in self._window if day in self._own]
        if len(own) * _BYTES * len(space.subsets) > self._room:
            return [self._sums(day, believed, space, paper) for day in own]
        for day in own:
            if day not in self._kept:
                self._kept[day] = self._sums(day, believed, space, paper)
        return [self._kept[day] for day in own]

    def rows(self) -> DetectorRows:
        """Return the windows of the run's days; days without any count as learning days."""
        return self._rows(self._window)

    def _sums(self, day: str, believed: tuple[Rule, ...], space: Axes, paper: bool) -> DayCube:
        rows = self._rows((day,))
        (cube,) = day_cubes(rows if paper else rows.without_paper(), believed, space)
        return cube

    def _rows(self, days: Sequence[str]) -> DetectorRows:
        scores = {day: self._scores[day] for day in days}
        return rows_by_detector(scores, len(scores), self._vocabulary)[self._name]


def pasts_of(scores: Days, vocabulary: Vocabulary, kept_bytes: int) -> dict[str, Past]:
    """Return the past of every detector; `kept_bytes` is for all of them together."""
    names = scores.detectors
    return {name: Past(name, scores.of(name), vocabulary, kept_bytes // len(names)) for name in names}
