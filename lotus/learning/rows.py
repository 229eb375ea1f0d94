"""The scored windows of one detector over the search window, in canonical order, with their days, blocks and weights.

Rows are sorted by (window end, asset), so sums do not depend on the order in which files were read. Days are the
learning days common to all detectors; blocks that hold no window of the detector do not exist for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lotus.learning.basis import Basis, with_rules
from lotus.learning.forward import Forward, forward, steps_of
from lotus.learning.payoff_scores import Columns, bins_of, score
from lotus.priors.types import Rule
from lotus.priors.vocabulary import DEFAULT, Vocabulary, rule_mask
from lotus.timebase import BLOCKS_PER_DAY

EVERY = slice(None)


@dataclass(frozen=True, slots=True)
class DetectorRows:
    """Arrays [n] over windows, and per block (lane) its day index.

    `days` are the learning days, oldest first. `source` says how a published window was filled: 0 only modelled,
    1 executed on paper or against the tape, 2 filled by the venue. `assets`: the names behind the codes in `asset`.
    `left`, `share`: the hats of u0 on the day's knots; `level` what earlier days paid at that propensity, bps, NaN when
    there were none; `weight` what the window's block counts (`strata`); `step` the step of the window in its day
    (`forward`); `end_ms` its end, ms since 1970.
    """

    vocabulary: Vocabulary
    detector_id: str
    spec_version: int
    horizon_s: int
    days: tuple[str, ...]
    lane_day: NDArray[np.int64]
    lane: NDArray[np.int64]
    day: NDArray[np.int64]
    block: NDArray[np.int64]
    bins: NDArray[np.uint8]
    asset: NDArray[np.int64]
    u0: NDArray[np.float64]
    left: NDArray[np.uint8]
    share: NDArray[np.float64]
    level: NDArray[np.float64]
    weight: NDArray[np.float64]
    step: NDArray[np.int64]
    end_ms: NDArray[np.int64]
    p: NDArray[np.float64]
    h: NDArray[np.float64]
    f: NDArray[np.float64]
    published: NDArray[np.bool_]
    payoff_p: NDArray[np.float64]
    payoff_y: NDArray[np.float64]
    hit: NDArray[np.float64]
    source: NDArray[np.int64]
    event_id: NDArray[np.generic]
    assets: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of windows."""
        return len(self.h)

    @property
    def n_lanes(self) -> int:
        """Number of blocks that hold windows."""
        return len(self.lane_day)

    def covered(self, rule: Rule, span: slice = EVERY) -> NDArray[np.bool_]:
        """Return which windows (of a span) the rule covers."""
        return rule_mask(rule, self.bins[span])

    def basis(self, believed: tuple[Rule, ...] = (), span: slice = EVERY) -> Basis:
        """Return the hats of u0 and the rules already believed, of a span of windows."""
        return with_rules(self.left[span], self.share[span], [self.covered(rule, span) for rule in believed])

    def weighed(self) -> "DetectorRows":
        """Return the windows with scores and overlap weights times the weight of their blocks."""
        return replace(self, f=self.weight * self.f, h=self.weight * self.h)

    def forward(self, basis: Basis, span: slice = EVERY) -> Forward:
        """Return lane F of a span of whole days; `basis` holds the rules already believed."""
        f, h = self.f[span], self.h[span]
        return forward(f, h, self.level[span], self.step[span], self.day[span], basis.inside)

    def without_paper(self) -> "DetectorRows":
        """Return the windows scored without the modelled payoff ("ow"): its control is the level of earlier days."""
        control = np.nan_to_num(self.level)
        return replace(self, f=score(self.p, self.published, control, self.payoff_y))

    def recent(self, days: int) -> NDArray[np.bool_]:
        """Return which windows belong to the last `days` learning days."""
        return self.day >= len(self.days) - days


MODELLED, EXECUTED, VENUE = 0, 1, 2
_FLOATS = ("u0", "share", "level", "weight", "p", "h", "f", "payoff_p", "payoff_y", "hit")


def day_weights(n_days: int, half_life_days: float) -> NDArray[np.float64]:
    """Return g_d = 2^(-(n - d) / half life), the newest day 1."""
    ages = np.arange(n_days - 1, -1, -1, dtype=np.float64)
    return np.array([2.0 ** (-age / half_life_days) for age in ages])


def rows_by_detector(
    scores: Mapping[str, Columns], search_days: int, vocabulary: Vocabulary = DEFAULT
) -> dict[str, DetectorRows]:
    """Split the last `search_days` days of PAYOFF_SCORES by detector; of a detector only its newest version counts.

    With another vocabulary the bin columns are those of its features.
    """
    days = tuple(sorted(scores))[-search_days:]
    parts: dict[str, list[tuple[int, NDArray[np.int64]]]] = {}
    for index, day in enumerate(days):
        for detector_id, rows in _canonical(scores[day]):
            parts.setdefault(detector_id, []).append((index, rows))
    return {name: _gather(name, days, scores, parts[name], vocabulary) for name in sorted(parts)}


def _source(name: str) -> int:
    return VENUE if name == "venue" else EXECUTED if name else MODELLED


def _codes(values: NDArray[np.generic]) -> tuple[list[str], NDArray[np.int64]]:
    """Return the sorted names and the place of each value among them; equal neighbours are looked up once."""
    first = np.flatnonzero(np.concatenate([[len(values) > 0], values[1:] != values[:-1]]))
    texts = values[first].tolist()
    names = sorted(set(texts))
    place = {name: i for i, name in enumerate(names)}
    codes = np.fromiter(map(place.__getitem__, texts), dtype=np.int64, count=len(texts))
    return names, np.repeat(codes, np.diff(first, append=len(values)))


def lanes_of(day: NDArray[np.int64], block: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the day of each block that holds windows, [lanes], and the lane of each window, [n]."""
    slot = day * BLOCKS_PER_DAY + block
    held = np.bincount(slot) > 0
    return np.flatnonzero(held) // BLOCKS_PER_DAY, (np.cumsum(held) - 1)[slot]


def _canonical(columns: Columns) -> list[tuple[str, NDArray[np.int64]]]:
    names, code = _codes(np.asarray(columns["detector_id"]))
    _, asset = _codes(np.asarray(columns["asset"]))
    order = np.lexsort((asset, np.asarray(columns["window_end_ms"]), code))
    bounds = np.searchsorted(code[order], np.arange(len(names) + 1))
    return [(name, order[bounds[i] : bounds[i + 1]]) for i, name in enumerate(names)]


def _gather(
    name: str,
    days: tuple[str, ...],
    scores: Mapping[str, Columns],
    parts: list[tuple[int, NDArray[np.int64]]],
    vocabulary: Vocabulary,
) -> DetectorRows:
    newest = max(int(np.asarray(scores[days[i]]["spec_version"])[rows].max()) for i, rows in parts)
    kept = [(i, rows[np.asarray(scores[days[i]]["spec_version"])[rows] == newest]) for i, rows in parts]

    def column(key: str) -> NDArray[np.generic]:
        return np.concatenate([np.asarray(scores[days[i]][key])[rows] for i, rows in kept])

    day = np.concatenate([np.full(len(rows), i, dtype=np.int64) for i, rows in kept])
    block = column("block").astype(np.int64)
    lane_day, lane = lanes_of(day, block)
    floats = {key: column(key).astype(np.float64) for key in _FLOATS}
    horizon_s = int(column("horizon_s")[-1])
    sources, code = _codes(column("fill_source"))
    end_ms = column("window_end_ms").astype(np.int64)
    step = np.concatenate([steps_of(end_ms[day == i], floats["h"][day == i], horizon_s) for i in np.unique(day)])
    assets, asset = _codes(column("asset"))
    return DetectorRows(
        vocabulary=vocabulary,
        detector_id=name,
        spec_version=newest,
        horizon_s=horizon_s,
        days=days,
        lane_day=lane_day,
        lane=lane,
        day=day,
        block=block,
        left=column("stratum").astype(np.uint8),
        step=step,
        end_ms=end_ms,
        bins=np.concatenate([bins_of(scores[days[i]], vocabulary)[rows] for i, rows in kept]),
        asset=asset,
        published=column("published").astype(np.bool_),
        source=np.array([_source(s) for s in sources], dtype=np.int64)[code],
        event_id=column("event_id"),
        assets=tuple(assets),
        **floats,
    )
