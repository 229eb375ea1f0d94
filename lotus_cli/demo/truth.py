"""What a world's truth says of the lessons found in it, over the windows that taught them.

The truth of a day and the direction of every taught window are made once; lessons are then judged one by one. Only
windows that could teach count, with the weights the learner gave them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus.learning.lesson import Lesson
from lotus.learning.payoff_scores import bins_of
from lotus.manifest import Manifest
from lotus.priors.segment_context import search_words
from lotus.priors.vocabulary import Vocabulary
from lotus.progress.steps import Steps, untold
from lotus.simulation.lessons import planted_of
from lotus.simulation.truth import LessonLabel, LessonWindows, Truth, judge, truth_of
from lotus.simulation.world import World
from lotus_store.asset_context import with_asset_bins
from lotus_store.lake import Lake

Columns = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class _TaughtDay:
    """Windows that taught: detector, asset index, end, direction, bins u1 [n, features], weight, beside the truth."""

    truth: Truth
    detector_id: NDArray[np.object_]
    asset: NDArray[np.int64]
    end_ms: NDArray[np.int64]
    direction: NDArray[np.int64]
    bins: NDArray[np.uint8]
    weight: NDArray[np.float64]


@dataclass(frozen=True)
class Court:
    """Judges lessons of one world by its truth; `scores` are the payoff scores by day that taught them."""

    world: World
    lake: Lake
    branch: str
    scores: Mapping[str, Columns]
    manifest: Manifest
    progress: Steps = untold

    @cached_property
    def _days(self) -> list[_TaughtDay]:
        spec = self.world.spec
        names = [asset.name for asset in spec.assets]
        out = []
        for index in range(spec.days):
            day = spec.day(index)
            self.progress("days judged by the truth", index, spec.days, day)
            if day in self.scores:
                truth = truth_of([self.world.span(index, session) for session in range(len(spec.sessions))])
                signals = self.lake.read("signal_events", self.branch, day, columns=("event_id", "s"))
                words = search_words(self.manifest)
                rows = with_asset_bins(self.lake, self.branch, self.manifest, self.scores[day])
                out.append(_taught(truth, names, rows, signals, words))
        return out

    def verdict(self, lesson: Lesson) -> LessonLabel:
        """Return what a lesson is, over all windows of its detector."""
        bins, gains, weights = [], [], []
        for day in self._days:
            own_rows = day.detector_id == lesson.detector_id
            end = day.end_ms[own_rows]
            gains.append(
                day.truth.gain_bps(day.asset[own_rows], end, end + lesson.horizon_s * 1000, day.direction[own_rows])
            )
            bins.append(day.bins[own_rows])
            weights.append(day.weight[own_rows])
        planted, traps = planted_of(self.world.spec.name)
        windows = LessonWindows(np.concatenate(bins), np.concatenate(gains), np.concatenate(weights))
        return judge(lesson.detector_id, lesson.rule, lesson.sign, windows, planted, traps)


def _taught(truth: Truth, assets: Sequence[str], rows: Columns, signals: Columns, words: Vocabulary) -> _TaughtDay:
    sign = dict(zip(signals["event_id"].tolist(), np.sign(signals["s"].astype(np.float64)).tolist(), strict=True))
    order = {name: i for i, name in enumerate(assets)}
    return _TaughtDay(
        truth=truth,
        detector_id=rows["detector_id"],
        asset=np.array([order[name] for name in rows["asset"].tolist()], dtype=np.int64),
        end_ms=rows["window_end_ms"].astype(np.int64),
        direction=np.array([sign[event] for event in rows["event_id"].tolist()], dtype=np.int64),
        bins=bins_of(rows, words),
        weight=rows["h"].astype(np.float64),
    )
