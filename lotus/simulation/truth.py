"""The truth beside a tape: planted drift on a 200 ms grid, and the judgement of a found lesson by it.

Truth never enters a tape. A found rule is `recovered` when it covers the windows of a planted one, `trap` when it
covers those of a trap, an `echo` when it is another description of something really planted, else `false`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.priors.types import Rule
from lotus.priors.vocabulary import rule_mask
from lotus.simulation.lessons import Planted, Trap, rule_of
from lotus.simulation.market import MarketSpan, Planting
from lotus.simulation.schedule import FAMILIES
from lotus.simulation.spec import MICRO

GRID_MS = 200
SAME_WINDOWS = 0.5  # Jaccard overlap from which two rules are the same lesson
LEAST_UPLIFT_BPS = 1.0  # planted uplift from which a lesson is an echo


@dataclass(frozen=True, slots=True)
class TrueEpisode:
    """One pattern that was really there: `rule` names what was planted on it ("" = nothing)."""

    asset: int
    detector_id: str
    onset_ms: int
    direction: int
    rule: str
    effect_bps: float  # along the price, not the direction


@dataclass(frozen=True, slots=True)
class Truth:
    """A day: grid times i8[n], cumulative planted drift f8[assets, n] in bps, and the episodes."""

    end_ms: NDArray[np.int64]
    drift_bps: NDArray[np.float64]
    episodes: tuple[TrueEpisode, ...]

    def gain_bps(
        self,
        asset: NDArray[np.int64],
        from_ms: NDArray[np.int64],
        to_ms: NDArray[np.int64],
        direction: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """Return the planted drift [n] in bps between two venue times, signed along `direction`."""
        return direction * (self._at(asset, to_ms) - self._at(asset, from_ms))

    def _at(self, asset: NDArray[np.int64], time_ms: NDArray[np.int64]) -> NDArray[np.float64]:
        before = np.clip(np.searchsorted(self.end_ms, time_ms, side="right") - 1, 0, len(self.end_ms) - 1)
        return self.drift_bps[asset, before]


@dataclass(frozen=True, slots=True)
class LessonLabel:
    """What a found lesson is: `recovered`, `trap`, `echo` or `false`; `name` of the planted rule it is."""

    kind: str
    name: str
    overlap: float  # Jaccard overlap with that rule, or the largest one
    uplift_bps: float  # planted gain inside the rule minus over all windows of the detector


@dataclass(frozen=True, slots=True)
class LessonWindows:
    """Windows of a detector: `bins` u1 [n, 12], planted `gain_bps` f8 [n] over the horizon, `weight` f8 [n] >= 0."""

    bins: NDArray[np.uint8]
    gain_bps: NDArray[np.float64]
    weight: NDArray[np.float64]


def truth_of(spans: Sequence[MarketSpan]) -> Truth:
    """Return the truth of consecutive spans; drift goes on cumulating from one to the next."""
    times, drifts, planted = [], [], []
    base = np.zeros((len(spans[0].drift), 1))
    for span in spans:
        start = int(span.time_ms[0]) // GRID_MS * GRID_MS
        grid = np.arange(start + GRID_MS, int(span.time_ms[-1]) + GRID_MS, GRID_MS)
        last = np.searchsorted(span.time_ms, grid) - 1
        drift = base + span.drift[:, last] / MICRO
        base = drift[:, -1:]
        times.append(grid)
        drifts.append(drift)
        planted += [_true_episode(p, start) for p in span.planted]
    return Truth(np.concatenate(times), np.concatenate(drifts, axis=1), tuple(planted))


def judge(
    detector_id: str,
    rule: Rule,
    sign: int,
    windows: LessonWindows,
    planted: Sequence[Planted],
    traps: Sequence[Trap] = (),
) -> LessonLabel:
    """Judge a found lesson of `sign` (+1 pays more, -1 less) on the detector's windows."""
    bins, gain_bps, weight = windows.bins, windows.gain_bps, windows.weight
    mask = rule_mask(rule, bins)
    total, inside = weight.sum(), (weight * mask).sum()
    uplift = 0.0
    if inside > 0.0:
        uplift = float((weight * mask * gain_bps).sum() / inside - (weight * gain_bps).sum() / total)
    best, name, kind = 0.0, "", ""
    rules: list[Planted | Trap] = [*planted, *traps]
    for entry in rules:
        if entry.detector_id == detector_id:
            overlap = _jaccard(mask, rule_mask(rule_of(entry.literals), bins), weight)
            if overlap > best:
                best, name, kind = overlap, entry.name, "recovered" if isinstance(entry, Planted) else "trap"
    if best >= SAME_WINDOWS and (kind == "trap" or sign > 0):
        return LessonLabel(kind, name, best, uplift)
    if sign * uplift >= LEAST_UPLIFT_BPS:
        return LessonLabel("echo", name, best, uplift)
    return LessonLabel("false", name, best, uplift)


def _jaccard(a: NDArray[np.bool_], b: NDArray[np.bool_], weight: NDArray[np.float64]) -> float:
    union = float((weight * (a | b)).sum())
    return float((weight * (a & b)).sum()) / union if union > 0.0 else 0.0


def _true_episode(planting: Planting, start_ms: int) -> TrueEpisode:
    episode = planting.episode
    return TrueEpisode(
        asset=episode.asset,
        detector_id=FAMILIES[episode.family].detector_id,
        onset_ms=start_ms + episode.onset_ms,
        direction=episode.direction,
        rule=planting.rule,
        effect_bps=planting.effect / MICRO,
    )
