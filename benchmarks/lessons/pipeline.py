"""The product's nights over a simulated log, without a store: lessons, weave, watchdog, and patches that act next day.

`Walk` holds what the ledgers hold between nights and calls what the stages call: `learn_from` on day sums, then
`weave_night`. The version of a night scores the windows from its swap hour on, through the compiled priors that the
daemon runs. What a world is and what is counted stand elsewhere; storing is the product's.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.lessons.year_loop import part_of, slice_of
from lotus.learning.axes import Axes
from lotus.learning.day_cube import DayCube, baseline_key, day_cubes
from lotus.learning.lanes import NO_SLOT, Both
from lotus.learning.lesson import AuditState, Lesson
from lotus.learning.night import NightResult, learn_from
from lotus.learning.payoff_scores import Columns
from lotus.learning.rows import DetectorRows, rows_by_detector
from lotus.learning.slots import NOTHING_SPENT, SlotState
from lotus.learning.strata import HISTORY_DAYS
from lotus.learning.strata_table import histograms_of
from lotus.manifest import Manifest
from lotus.priors.compiled import apply_priors, cap_tilt, caps_of, compile_priors, version_at
from lotus.priors.gate import cap_gate, gate_of, level_of
from lotus.priors.types import PriorsVersion, Rule, priors_0
from lotus.simulation.learning_world import Market, Track, scores_of
from lotus.timebase import DAY_MS, HOUR_MS, day_start_ms, next_day
from lotus.weave.admission import DetectorDay
from lotus.weave.braid import Braid
from lotus.weave.field import weekly
from lotus.weave.meta import MetaState, members, observed
from lotus.weave.night import NightInputs, WovenNight, weave_night
from lotus.weave.watchdog import Evidence

BRANCH = "main"
THETA, THETA_STEP = 0.30, 0.05  # context penalty of the calmest windows, and what each bin of volatility adds
Floats = NDArray[np.float64]


@dataclass(slots=True)
class Kept:
    """One detector's past in memory: scores by day, and sums of days under the rules they were demeaned on."""

    name: str
    scores: dict[str, Columns] = field(default_factory=dict)
    window: tuple[str, ...] = ()
    sums: dict[tuple[str, str, bool], DayCube] = field(default_factory=dict)

    def cubes(self, believed: tuple[Rule, ...], space: Axes, paper: bool = True) -> Sequence[DayCube]:
        """Return the sums of the days of the window, made where they are missing."""
        return [self._day(day, believed, space, paper) for day in self.window]

    def rows(self) -> DetectorRows:
        """Return the windows of the days of the window."""
        return self.last(len(self.window))

    def last(self, days: int) -> DetectorRows:
        """Return the windows of the last days."""
        return rows_by_detector({day: self.scores[day] for day in self.window[-days:]}, days)[self.name]

    def _day(self, day: str, believed: tuple[Rule, ...], space: Axes, paper: bool) -> DayCube:
        key = (day, baseline_key(believed), paper)
        if key not in self.sums:
            rows = rows_by_detector({day: self.scores[day]}, 1)[self.name]
            (self.sums[key],) = day_cubes(rows if paper else rows.without_paper(), believed, space)
        return self.sums[key]


@dataclass(slots=True)
class Walk:
    """A branch that walks its days: what is believed, and all that one night leaves for the next."""

    place: Market
    tracks: Sequence[Track]
    manifest: Manifest
    past: dict[str, Kept] = field(init=False)
    board: tuple[Braid, ...] = ()
    versions: list[PriorsVersion] = field(default_factory=lambda: [priors_0(BRANCH)])
    slots: Both[SlotState] = NOTHING_SPENT
    pooled: SlotState = field(default_factory=SlotState)
    audits: dict[str, AuditState] = field(default_factory=dict)
    meta: MetaState = field(default_factory=MetaState)

    def __post_init__(self) -> None:
        self.past = {track.detector_id: Kept(track.detector_id) for track in self.tracks}

    def night(self, number: int) -> tuple[NightResult, WovenNight]:
        """Publish day `number` (from 1) under what is in force, learn from it, weave, and keep what follows."""
        day, settings = self.place.days[number - 1], self.manifest.learning
        self._publish(number - 1)
        days = self.place.days[:number][-settings.search_days :]
        for kept in self.past.values():
            kept.window = days
        today = {name: kept.last(1) for name, kept in self.past.items()}
        judged = observed(self.meta, self.board, today, day)
        believed = [(b.detector_id, b.rule) for b in self.board if b.in_force and b.braid_type == "micro"]
        learned = learn_from(
            self.past,
            days,
            self.manifest,
            night=number,
            active=believed,
            slots=self.slots,
            audits=self.audits,
            branch=BRANCH,
            pooled_slots=self.pooled,
            members=members(judged, settings),
        )
        woven = self._weave(day, learned.lessons, today, learned)
        self.slots, self.pooled = learned.slots, learned.pooled.state
        self.audits = {audit.detector_id: audit.state for audit in learned.audits}
        self.board, self.meta = woven.braids, woven.meta_state
        self.versions = [self.versions[-1], woven.priors]
        return learned, woven

    def _weave(
        self, day: str, lessons: Sequence[Lesson], today: dict[str, DetectorRows], learned: NightResult
    ) -> WovenNight:
        alarms = {audit.detector_id: audit.reason for audit in learned.audits if audit.alarm}
        wide = {name: kept.rows() for name, kept in self.past.items()} if lessons or weekly(day) else {}
        given = NightInputs(
            evidence=Evidence(day, today, wide, alarms),
            meta=self.meta,
            critical=learned.critical if learned.looked else NO_SLOT,
        )
        temperature = self.manifest.score.temperature
        detectors = {name: DetectorDay(rows.bins, theta1(rows.bins), temperature) for name, rows in today.items()}
        swap = day_start_ms(next_day(day)) + self.manifest.weave.swap_hour_utc * HOUR_MS
        accepted = [lesson for lesson in lessons if lesson.accepted]
        return weave_night(self.versions[-1], self.board, accepted, detectors, swap, self.manifest, given)

    def _publish(self, index: int) -> None:
        place = part_of(self.place, index, index + 1)
        at = slice(index * place.windows, (index + 1) * place.windows)
        for track in self.tracks:
            part = slice_of(track, at)
            p = propensities(part, place.days[0], self.versions, self.manifest)
            kept = self.past[track.detector_id]
            before = [histograms_of(day) for day in list(kept.scores.values())[-HISTORY_DAYS:]]
            kept.scores |= scores_of(place, part, p, before=before)


def theta1(bins: NDArray[np.uint8]) -> Floats:
    """Return the context penalty of windows: it rises with the bin of volatility."""
    return THETA + THETA_STEP * bins[:, 0].astype(np.float64)


def propensities(part: Track, day: str, versions: Sequence[PriorsVersion], manifest: Manifest) -> Floats:
    """Return p [n] of one day of a detector: its logit moved by the versions in force, as the daemon moves it."""
    ordered = [v for i, v in enumerate(versions) if i == 0 or v.effective_from_ms > versions[i - 1].effective_from_ms]
    priors, caps = compile_priors(ordered, [part.detector_id]), caps_of(manifest.weave)
    score, step = manifest.score, DAY_MS // len(part.u0)
    theta, share = theta1(part.bins), 1.0 - manifest.score.sq_share
    tilt, floor = np.zeros(len(part.u0)), np.full(len(part.u0), score.epsilon)
    for i in range(len(tilt)) if priors.count.any() else ():
        end = day_start_ms(day) + step * (i + 1)
        version = version_at(priors.effective_from_ms, end)
        theta2, phi, fired = apply_priors(
            priors.braids, priors.first, priors.count, version, 0, part.bins[i], theta[i], end, caps
        )
        if fired:
            trust = priors.braids, priors.first, priors.count, version, 0, fired
            moved = share * (math.log(phi) + score.penalty_a * math.log((1.0 - theta2) / (1.0 - theta[i])))
            tilt[i] = cap_tilt(moved, 0.0, score.temperature, manifest.weave.max_total_tilt) / score.temperature
            if level := level_of(*trust):
                tilt[i] += cap_gate(gate_of(*trust), tilt[i], level, caps)
                floor[i] = max(score.epsilon, manifest.weave.trust_floor)
    return np.clip(1.0 / (1.0 + np.exp(-(part.u0 + tilt))), floor, 1.0 - floor)


def lasting(manifest: Manifest, ttl_days: int) -> Manifest:
    """Return the manifest with another time to live, and an extension as long."""
    return replace(manifest, weave=replace(manifest.weave, ttl_days=ttl_days, extension_days=ttl_days))
