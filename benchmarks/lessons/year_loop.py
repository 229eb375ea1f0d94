"""A year of nights in the closed loop, cheap enough for hundreds of worlds: what was learned changes what is published.

Every day the propensity follows from the detector's own logit, its quality (payoffs of the last 20 days against the
other detectors'), crowding (others that were sure in the window before) and the patches in force. Day sums of all rules
are kept; a look weighs the last 90 of them by one matrix product for all sign paths. Search statistics, slots,
selection, gates and patch sizes are the product's functions; audits are left out, for the log is honest here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.lessons.worlds import support_of
from lotus.learning.axes import Axes, axes
from lotus.learning.basis import with_rules
from lotus.learning.bench import Bench
from lotus.learning.boxes import box_moments, box_presence
from lotus.learning.cube import accumulate
from lotus.learning.demean import demean
from lotus.learning.effect import residuals
from lotus.learning.forward import forward, steps_of
from lotus.learning.greedy import Told, both_evidence, select
from lotus.learning.lanes import Both
from lotus.learning.lesson import Lesson
from lotus.learning.payoff_scores import score
from lotus.learning.rows import DetectorRows, day_weights, rows_by_detector
from lotus.learning.signs import day_signs
from lotus.learning.strata import HISTORY_DAYS, Histogram, Strata, block_weights, histogram, strata_of
from lotus.manifest import LearningDefaults
from lotus.priors.types import Rule
from lotus.priors.vocabulary import rule_mask
from lotus.simulation.learning_world import FLOOR, HORIZON, Market, Track, scores_of
from lotus.timebase import BLOCKS_PER_DAY, DAY_MS

QUALITY_DAYS, QUALITY_LOGIT, CROWD_LOGIT, TTL_DAYS = 20, 0.3, 1.0, 30
PATCH_GAIN, MAX_TILT, MIN_TILT = 5.0, 0.5, 0.05
Floats = NDArray[np.float64]
LIMIT = float(np.log((1.0 - FLOOR) / FLOOR))


@dataclass(frozen=True, slots=True)
class Believed:
    """An accepted lesson in force: detector, the night it came, and the logit that its patch adds inside its rule."""

    detector: int
    night: int
    tilt: float
    lesson: Lesson


@dataclass(slots=True)
class Loop:
    """State of one world; it owns the tracks and writes logits and payoffs into them as they come to pass.

    `rising`: the edge follows the logit without patches (every kind but null). `p` float64 [detectors, windows], day
    sums float32 [lanes, detectors, days, rules], `support` [detectors, (h, published), days, subsets, 125].
    """

    place: Market
    tracks: Sequence[Track]
    settings: LearningDefaults
    rising: bool
    space: Axes = field(init=False)
    p: Floats = field(init=False)
    total: NDArray[np.float32] = field(init=False)
    square: NDArray[np.float32] = field(init=False)
    support: Floats = field(init=False)
    paid: Floats = field(init=False)
    signs: Floats = field(init=False)
    past: list[list[Histogram]] = field(init=False)
    strata: list[list[Strata]] = field(init=False)
    active: list[Believed] = field(default_factory=list)

    def __post_init__(self) -> None:
        days, k, n = len(self.place.days), len(self.tracks), len(self.place.forward)
        self.space = axes(self.settings.max_literals)
        self.p = np.zeros((k, n))
        self.past, self.strata = [[] for _ in range(k)], [[] for _ in range(k)]
        self.total = np.zeros((2, k, days, self.space.n_rules), np.float32)
        self.square = np.zeros_like(self.total)
        self.support = np.zeros((k, 2, days, len(self.space.subsets), 125), np.float32)
        self.paid = np.zeros((k, days))
        self.signs = day_signs(self.settings.seed, self.place.days, self.settings.draws)

    def window(self, day: int) -> slice:
        """Return the windows of a day."""
        return slice(day * self.place.windows, (day + 1) * self.place.windows)

    def publish(self, day: int) -> None:
        """Draw a day: quality and crowding move u0, patches move u; then keep its sums."""
        at = self.window(day)
        own = np.stack([track.u0[at] for track in self.tracks])
        u0 = own + self._quality(day)[:, None]
        sure = (own > 0.0).astype(np.float64)
        others = (sure.sum(axis=0) - sure) / max(len(self.tracks) - 1, 1)
        u0[:, 1:] -= CROWD_LOGIT * others[:, :-1]
        u0 = np.clip(u0, -LIMIT, LIMIT)
        gained = edge_bps(u0) - edge_bps(own) if self.rising else np.zeros_like(u0)
        u = u0.copy()
        for one in self.active:
            u[one.detector] += one.tilt * rule_mask(one.lesson.rule, self.tracks[one.detector].bins[at])
        self.p[:, at] = np.clip(1.0 / (1.0 + np.exp(-u)), FLOOR, 1.0 - FLOOR)
        for k, track in enumerate(self.tracks):
            track.u0[at] = u0[k]
            for payoff in (track.mean, track.modelled, track.executed):
                payoff[at] += gained[k]
            taken = track.draw[at] < self.p[k, at]
            self.paid[k, day] = track.executed[at][taken].mean() if taken.any() else 0.0
            self.strata[k].append(strata_of(self.past[k][-HISTORY_DAYS:]))
            p, executed = self.p[k, at], np.where(taken, track.executed[at], np.nan)
            f, level = score(p, taken, track.modelled[at], executed), self.strata[k][day].level_at(track.u0[at])
            self.past[k].append(histogram(track.u0[at], p, taken, executed, f, level))
            block = np.arange(len(p), dtype=np.int64) * BLOCKS_PER_DAY // len(p)
            weight = block_weights(f, p * (1.0 - p), level, block, self.strata[k][day].noise)
            self._support(k, day, taken, weight)
            self.keep(k, day)

    def keep(self, k: int, day: int) -> None:
        """Store the day's sums of residual scores of every rule of one detector, over the present baseline."""
        at, track = self.window(day), self.tracks[k]
        p, bins = self.p[k, at], track.bins[at]
        taken = track.draw[at] < p
        h, f = p * (1.0 - p), score(p, taken, track.modelled[at], np.where(taken, track.executed[at], np.nan))
        hats = self.strata[k][day].basis(track.u0[at])
        basis = with_rules(hats.left, hats.share, [rule_mask(rule, bins) for rule in self.believed(k)])
        same, block = np.zeros(len(p), np.int64), np.arange(len(p), dtype=np.int64) * BLOCKS_PER_DAY // len(p)
        end_ms = np.arange(1, len(p) + 1, dtype=np.int64) * (DAY_MS // len(p))
        level, step = self.strata[k][day].level_at(track.u0[at]), steps_of(end_ms, h, HORIZON * 20)
        weight = block_weights(f, h, level, block, self.strata[k][day].noise)
        f, h = weight * f, weight * h
        rest = forward(f, h, level, step, same, basis.inside)
        for lane, r in enumerate((demean(basis, h, f, same, 1), rest.r)):
            cube = self.space.lean(accumulate(bins, block, r, BLOCKS_PER_DAY, self.space.subsets))
            if lane:
                cube -= self._usual_share(k, day) * np.bincount(block, weights=r, minlength=BLOCKS_PER_DAY)[:, None]
            sums = box_moments(cube, np.ones(BLOCKS_PER_DAY), *self.space.table)
            self.total[lane, k, day], self.square[lane, k, day] = sums

    def _usual_share(self, k: int, day: int) -> Floats:
        """Return what each cell holds of the weight on the days before: the loop centres lane F as it goes."""
        weight = self.support[k, 0, :day].sum(axis=0, dtype=np.float64)[None]
        return self.space.lean(weight)[0] / max(float(weight[0, -1].sum()), 1e-6)

    def believed(self, k: int) -> tuple[Rule, ...]:
        """Return the rules in force of one detector."""
        return tuple(sorted({one.lesson.rule for one in self.active if one.detector == k}))

    def look(self, night: int) -> Both[tuple[float, Floats]]:
        """Return per lane the largest M of the data and of each draw [draws], over detectors, after `night` days."""
        return Both(self._look(night, 0), self._look(night, 1))

    def _look(self, night: int, lane: int) -> tuple[float, Floats]:
        first = max(0, night - self.settings.search_days)
        g = day_weights(night - first, self.settings.half_life_days)
        paths = np.concatenate([np.ones((night - first, 1)), self.signs[first:night]], axis=1)
        weighed = np.ascontiguousarray((g[:, None] * paths).T.astype(np.float32))
        lengths, best = self.space.rule_lengths(), np.full(weighed.shape[0], -np.inf)
        for k in range(len(self.tracks)):
            usable = np.flatnonzero(self.eligible(k, first, night))
            if not len(usable):
                continue
            q = (g * g).astype(np.float32) @ self.square[lane, k, first:night][:, usable]
            alive = q > 0.0
            usable, q = usable[alive], q[alive]
            t = np.abs(weighed @ (self.total[lane, k, first:night][:, usable] / np.sqrt(q)))
            for length in np.unique(lengths[usable]):
                top = t[:, lengths[usable] == length].max(axis=1).astype(np.float64)
                best = np.maximum(best, 0.5 * top * top - self.space.price[length])
        return float(best[0]), best[1:]

    def eligible(self, k: int, first: int, last: int) -> NDArray[np.bool_]:
        """Return which rules may play: coverage, published windows and days, of the days first..last-1."""
        weight, taken = (self.support[k, i, first:last] for i in (0, 1))
        whole = np.asarray(weight.sum(axis=0, dtype=np.float64))[None]
        lean, table = self.space.lean, self.space.table
        plain, _ = box_moments(lean(whole), np.ones(1), *table)
        published, _ = box_moments(lean(taken.sum(axis=0, dtype=np.float64)[None]), np.ones(1), *table)
        days = box_presence(lean(weight.astype(np.float64)), 1e-6, *table)
        s, coverage = self.settings, plain / max(float(whole[0, -1].sum()), 1e-6)
        inside = (coverage >= s.min_coverage) & (coverage <= s.max_coverage)
        eligible: NDArray[np.bool_] = inside & (np.rint(published) >= s.min_published) & (days >= s.min_days)
        return eligible

    def promote(self, night: int, critical: Both[float]) -> list[Believed]:
        """Select among all detectors beyond `critical` in both lanes, put what is accepted in force, and return it."""
        first, fresh = max(0, night - self.settings.search_days), []
        for k in range(len(self.tracks)):
            rows = self.rows(k, first, night)
            g = day_weights(len(rows.days), self.settings.half_life_days)
            family = support_of(rows, g, self.settings)
            rules = self.believed(k)
            name, trials = rows.days[-1], int(family.eligible.sum())
            bench = Bench(
                rows.detector_id, rows.horizon_s, self.space, family, g, self.settings, rules, "main", name, trials
            )
            evidence = both_evidence(bench, rows, residuals(rows, rules))
            bar = Both(*(max(x, self.settings.min_evidence_nats) for x in critical))
            found, _ = select(bench, rows, evidence, bar, Told())
            fresh += [Believed(k, night, tilt_of(lesson), lesson) for lesson in found]
        self.change([*self.active, *fresh], night)
        return fresh

    def expire(self, night: int) -> None:
        """Drop what is older than its time to live."""
        self.change([one for one in self.active if night - one.night < TTL_DAYS], night)

    def change(self, active: list[Believed], night: int) -> None:
        """Put a new set in force and rebuild the day sums of detectors whose baseline changed."""
        before = {k: self.believed(k) for k in range(len(self.tracks))}
        self.active = active
        for k, rules in before.items():
            if self.believed(k) != rules:
                for day in range(max(0, night - self.settings.search_days), night):
                    self.keep(k, day)

    def rows(self, k: int, first: int, last: int) -> DetectorRows:
        """Return the scored windows of one detector and days first..last-1, as the product's night reads them."""
        last_days, first = last - first, max(0, first - HISTORY_DAYS)  # strata follow from the days before
        at = slice(self.window(first).start, self.window(last - 1).stop)
        place, track = part_of(self.place, first, last), self.tracks[k]
        return rows_by_detector(scores_of(place, slice_of(track, at), self.p[k, at]), last_days)[track.detector_id]

    def _quality(self, day: int) -> Floats:
        past = self.paid[:, max(0, day - QUALITY_DAYS) : day]
        if past.shape[1] < 2:
            return np.zeros(len(self.tracks))
        against = past - past.mean(axis=0)
        error = against.std(axis=1, ddof=1) / np.sqrt(past.shape[1])
        return np.asarray(QUALITY_LOGIT * np.tanh(against.mean(axis=1) / np.maximum(error, 1e-9) / 2.0))

    def _support(self, k: int, day: int, taken: NDArray[np.bool_], weight: Floats) -> None:
        at = self.window(day)
        p, bins = self.p[k, at], self.tracks[k].bins[at]
        lane = np.zeros(len(p), np.int64)
        for i, values in enumerate((weight * p * (1.0 - p), taken.astype(np.float64))):
            self.support[k, i, day] = accumulate(bins, lane, values, 1, self.space.subsets)[0]


def edge_bps(u0: Floats) -> Floats:
    """Return the edge of the generator's worlds but null as a function of the logit without patches."""
    return np.asarray(6.0 / (1.0 + np.exp(-0.7 * u0)))


def tilt_of(lesson: Lesson) -> float:
    """Return the patch in logits: sign(U) min(.5, 5 LCB / sigma), nothing below .05."""
    size = min(MAX_TILT, PATCH_GAIN * max(0.0, lesson.lcb_bps) / max(lesson.sigma_y_bps, 1e-9))
    return lesson.sign * size if size >= MIN_TILT else 0.0


def part_of(place: Market, first: int, last: int) -> Market:
    """Return the days first..last-1 of a market."""
    at = slice(first * place.windows, last * place.windows)
    days, tide = place.days[first:last], place.tide[first:last]
    return replace(place, days=days, tide=tide, contexts=place.contexts[at], forward=place.forward[at])


def slice_of(track: Track, at: slice) -> Track:
    """Return some windows of a track."""
    names = ("bins", "u0", "draw", "mean", "truth", "modelled", "executed")
    return replace(track, **{name: getattr(track, name)[at] for name in names})
