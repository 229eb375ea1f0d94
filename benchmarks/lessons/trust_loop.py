"""The closed loop of `year_loop` under the law of earned trust: levels, tilts, floors, monitors and times to live.

What a braid learns of itself are day and block sums of its rule over a baseline of the other rules in force: at the
logged propensities for the law and, from level 1, for the monitor; at the unpatched ones for the monitor of level 0.
Tilts move outwards as gates do (`gate_after`), back at once. Law and monitor are the product's. Beside the law stand
the procedures it must beat (`How.arm`). Nothing is judged here. In the literature: Thompson (1933) for the last arm.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from benchmarks.lessons.trust_parts import Acting, blocks_of_day, joined, parts_of_day, smaller, tilts, unpatched
from benchmarks.lessons.year_loop import CROWD_LOGIT, LIMIT, Believed, Loop
from lotus.learning.basis import Basis, with_rules
from lotus.learning.boxes import box_moments
from lotus.learning.demean import demean
from lotus.learning.forward import forward, steps_of
from lotus.learning.lanes import Both
from lotus.learning.lesson import Lesson
from lotus.learning.monitor import Blocks, Monitor, observe, watch_blocks
from lotus.learning.payoff_scores import score
from lotus.learning.slots import NOTHING_SPENT, SlotState, allowance, nightly_look
from lotus.learning.strata import block_weights
from lotus.manifest import WeaveDefaults
from lotus.priors.types import Rule
from lotus.priors.vocabulary import rule_mask
from lotus.simulation.learning_world import FLOOR, HORIZON, stream
from lotus.timebase import BLOCKS_PER_DAY, DAY_MS
from lotus.weave import trust as law
from lotus.weave.doubt import EMPTY, shortfalls
from lotus.weave.tilt import wanted_tilt
from lotus.weave.trust import Trust, TrustDay, TrustStep

Floats = NDArray[np.float64]
Planted = Sequence[tuple[Rule, float]]
ARMS = ("trust", "fixed", "full", "thompson")
ROUNDING = 1e-3  # nats, of one path beside many
HOURS = 24
SAME = 0.5  # Jaccard from which a lesson names a rule that was reverted
PRIOR_BPS, TRIED = 3.0, 2  # of the Thompson sampler: deviation of effects, rules tilted a detector and day


@dataclass(slots=True)
class Held:
    """A lesson in force: trust, monitor, the tilt in force (logits), the night its time ends, its highest level."""

    of: Believed
    trust: Trust
    monitor: Monitor
    tilt: float
    until: int
    top: int = 0
    extended: bool = False

    @property
    def rule(self) -> Rule:
        """The rule of the lesson."""
        return self.of.lesson.rule


@dataclass(frozen=True, slots=True)
class How:
    """How a world is acted in: the arm, and the weave's settings."""

    arm: str = "trust"
    weave: WeaveDefaults = field(default_factory=WeaveDefaults)

    @property
    def caps(self) -> tuple[float, ...]:
        """Caps of the levels; only the arm with trust has more than one."""
        return self.weave.trust_caps if self.arm == "trust" else self.weave.trust_caps[:1]


@dataclass(frozen=True, slots=True)
class Everywhere:
    """Stands for a lesson where a tilt is given window by window: `year_loop` names evidence by its bytes."""

    rule: Rule = field(default_factory=Rule)


@dataclass(slots=True)
class TrustLoop(Loop):
    """A `Loop` whose lessons act by trust.

    `held` is in force, `based` the baselines that the day sums were made over, `spent` the slots, `due` the nights
    whose draws were not looked at yet; `dead` what was reverted, `steps` and `ends` what happened, by night. `looking`:
    sums of all rules are kept for looks to come.
    """

    how: How = field(default_factory=How)
    held: list[Held] = field(default_factory=list)
    based: dict[int, tuple[Rule, ...]] = field(default_factory=dict)
    spent: Both[SlotState] = NOTHING_SPENT
    due: list[int] = field(default_factory=list)
    looking: bool = True
    dead: list[tuple[int, Rule]] = field(default_factory=list)
    steps: list[tuple[int, TrustStep]] = field(default_factory=list)
    ends: list[tuple[int, str, Held]] = field(default_factory=list)

    def act(self, day: int) -> None:
        """Publish a day under what is in force."""
        moved = self._sampled(day) if self.how.arm == "thompson" else self._held_tilts(day)
        everywhere = cast(Lesson, Everywhere())
        self.active = [Believed(k, day, cast(float, tilt), everywhere) for k, tilt in moved.items()]
        self.publish(day)
        self.active = []

    def believed(self, k: int) -> tuple[Rule, ...]:
        """Return the rules of the baseline of one detector."""
        return tuple(sorted({x.rule for x in self.held if x.of.detector == k}))

    def logits(self, day: int) -> Floats:
        """Return the logits [detectors, windows] that a day will have before any patch."""
        own = np.stack([track.u0[self.window(day)] for track in self.tracks])
        sure = (own > 0.0).astype(np.float64)
        others = (sure.sum(axis=0) - sure) / max(len(self.tracks) - 1, 1)
        u0 = own + self._quality(day)[:, None]
        u0[:, 1:] -= CROWD_LOGIT * others[:, :-1]
        return np.asarray(np.clip(u0, -LIMIT, LIMIT))

    def _held_tilts(self, day: int) -> dict[int, Floats]:
        """Return the tilt of each window of a day, by detector with a lesson in force."""
        rules: dict[int, list[Acting]] = {}
        for x in self.held:
            k = x.of.detector
            rules.setdefault(k, []).append((x.tilt, x.trust.level, self._cap(x), self.mask(k, x.rule, day)))
        u0 = self.logits(day) if rules else np.zeros((0, 0))
        return {k: tilts(u0[k], mine, self.how.weave) for k, mine in rules.items()}

    def _cap(self, held: Held) -> float:
        if self.how.arm == "full":
            return self.how.weave.trust_caps[-1]
        return self.how.caps[held.trust.level]

    def mask(self, k: int, rule: Rule, day: int) -> NDArray[np.bool_]:
        """Return which windows of a detector's day a rule covers."""
        return rule_mask(rule, self.tracks[k].bins[self.window(day)])

    def sums(self, k: int, rule: Rule, day: int, logged: bool) -> Blocks:
        """Return the block sums of a rule and day over the other rules; `logged`: at the drawn propensity."""
        at, track = self.window(day), self.tracks[k]
        u0, p, weight, (f, h) = track.u0[at], self.p[k, at], self._weight(k, day), self._logged(k, day)
        if not logged:
            h = unpatched(u0)
            surprise = np.where(track.draw[at] < p, track.executed[at] - track.modelled[at], 0.0)
            f = h * (track.modelled[at] + surprise / p)
        return self._lanes(k, rule, day, (weight * f, weight * h, self.strata[k][day].level_at(u0)))

    def claimed(self, k: int, rule: Rule, day: int) -> tuple[Floats, Floats]:
        """Return r and the overlap weight that the claim counts [n] of a day (`lotus.weave.doubt.claimed`)."""
        u0, weight, (f, h) = self.tracks[k].u0[self.window(day)], self._weight(k, day), self._logged(k, day)
        inside, basis, same = self.mask(k, rule, day), self._basis(k, rule, day), np.zeros(len(u0), np.int64)

        def kept(h: Floats) -> float:
            r = demean(basis, weight * h, weight * h * inside, same, 1)
            return float(r[inside].sum() / max((weight * h)[inside].sum(), EMPTY))

        now, plain = kept(h), kept(unpatched(u0))
        r = demean(basis, weight * h, weight * f, same, 1)
        return np.where(inside, r, 0.0), np.where(inside, (now / plain if plain > 0.0 else 1.0) * weight * h, 0.0)

    def _weight(self, k: int, day: int) -> Floats:
        """Return what each window's block counts."""
        f, h, strata = *self._logged(k, day), self.strata[k][day]
        level = strata.level_at(self.tracks[k].u0[self.window(day)])
        return block_weights(f, h, level, parts_of_day(len(f), BLOCKS_PER_DAY), strata.noise)

    def _logged(self, k: int, day: int) -> tuple[Floats, Floats]:
        """Return scores and overlap weights [n] of a day at the drawn propensity."""
        at, track = self.window(day), self.tracks[k]
        p = self.p[k, at]
        taken = track.draw[at] < p
        return score(p, taken, track.modelled[at], np.where(taken, track.executed[at], np.nan)), p * (1.0 - p)

    def _basis(self, k: int, rule: Rule, day: int) -> Basis:
        at, track = self.window(day), self.tracks[k]
        hats, others = self.strata[k][day].basis(track.u0[at]), [x for x in self.believed(k) if x != rule]
        return with_rules(hats.left, hats.share, [rule_mask(x, track.bins[at]) for x in others])

    def _lanes(self, k: int, rule: Rule, day: int, scored: tuple[Floats, Floats, Floats]) -> Blocks:
        """Return both lanes of weighed scores f, h and levels [n] of a day, summed inside a rule by block."""
        f, h, level = scored
        basis, same = self._basis(k, rule, day), np.zeros(len(f), np.int64)
        step = steps_of(self._end_ms(len(f)), self._logged(k, day)[1], HORIZON * 20)
        rest, inside = forward(f, h, level, step, same, basis.inside), self.mask(k, rule, day)
        block = parts_of_day(len(f), BLOCKS_PER_DAY)

        def by_block(values: Floats) -> Floats:
            return np.bincount(block[inside], weights=values[inside], minlength=BLOCKS_PER_DAY).astype(np.float64)

        days = (self.place.days[day],) * BLOCKS_PER_DAY
        later = Blocks(days, by_block(rest.r), by_block(rest.weight))
        return Blocks(days, by_block(demean(basis, h, f, same, 1)), by_block(h), later)

    def _end_ms(self, windows: int) -> NDArray[np.int64]:
        return np.arange(1, windows + 1, dtype=np.int64) * (DAY_MS // windows)

    def take(self, night: int, fresh: Sequence[Believed], forced: bool = False) -> None:
        """Put lessons in force after `night` days: trust and monitor begin with their selection days.

        `forced`: with the largest tilt of level 0, whatever the bound of the lesson says.
        """
        weave = self.how.weave
        for one in fresh:
            lesson, k = one.lesson, one.detector
            if any(j == k and self.alike(k, rule, lesson.rule, night) for j, rule in self.dead):
                continue
            days = range(max(0, night - self.settings.search_days), night)
            logged = [self.sums(k, lesson.rule, day, True) for day in days]
            gains = np.array([smaller(lesson.sign, blocks)[0] for blocks in logged])
            plain = joined([self.sums(k, lesson.rule, day, False) for day in days])
            last = self.place.days[night - 1]
            monitor = watch_blocks(
                lesson.sign, lesson.claim_bps, lesson.uplift_bps, plain, weave.ttl_days + weave.extension_days, last
            )
            if monitor is None or not law.scale_of(gains) > 0.0:
                continue
            asked = lesson.sign * weave.max_tilt if forced else wanted_tilt(lesson, weave).delta
            if self.how.arm == "full" or asked:
                trust = law.begin(law.scale_of(gains), last, float(gains.min()))
                self.held.append(Held(replace(one, tilt=asked), trust, monitor, 0.0, night + weave.ttl_days))

    def alike(self, k: int, one: Rule, other: Rule, night: int) -> bool:
        """Tell whether two rules share half of their windows of the search window."""
        at = slice(self.window(max(0, night - self.settings.search_days)).start, self.window(night - 1).stop)
        a, b = (rule_mask(rule, self.tracks[k].bins[at]) for rule in (one, other))
        return bool((a & b).sum() >= SAME * (a | b).sum())

    def judge(self, night: int) -> bool:
        """Let every lesson in force take in the day before `night`; return whether one ended."""
        kept, day = [], night - 1
        for held in self.held:
            k, sign = held.of.detector, held.of.lesson.sign
            logged = self.sums(k, held.rule, day, True)
            short = self._watched(held, day)
            gain, weight = smaller(sign, logged)
            foretold = TrustDay(self.place.days[day], gain, weight, *self._foretold(held, day), short)
            held.trust, step = law.after_day(held.trust, foretold, self.how.caps)
            held.top = max(held.top, held.trust.level)
            if step is not None and step.moved:
                self.steps.append((night, step))
            cause = self._cause(held, night)
            if cause:
                self.ends.append((night, cause, held))
                if cause == "reverted":
                    self.dead.append((k, held.rule))
            else:
                kept.append(held)
        ended, self.held = len(kept) < len(self.held), kept
        return ended

    def _watched(self, held: Held, day: int) -> tuple[float, ...]:
        """Let a monitor take in a day, and return by how much each hour falls short of a claim in doubt."""
        k, doubt, level = held.of.detector, held.trust.doubt, held.trust.level
        r, h = self.claimed(k, held.rule, day) if doubt or level else (np.zeros(0), np.zeros(0))
        seen = blocks_of_day(self.place.days[day], r, h) if level else self.sums(k, held.rule, day, False)
        held.monitor = observe(held.monitor, seen)
        return shortfalls(r, h, parts_of_day(len(r), HOURS), held.monitor) if doubt else ()

    def move(self) -> None:
        """Move every tilt by one night."""
        for held in self.held:
            goal = law.tilt_for(held.trust, held.of.lesson.sign, held.of.tilt, self.how.caps)
            if self.how.arm == "full":
                held.tilt = held.of.lesson.sign * self.how.weave.trust_caps[-1]
            else:
                held.tilt = law.gate_after(held.tilt, goal, held.trust.level)

    def _cause(self, held: Held, night: int) -> str:
        if held.monitor.dead or held.trust.dead:
            return "reverted"
        if night < held.until:
            return ""
        held.until += self.how.weave.extension_days
        if held.trust.level:
            held.trust, _ = law.renewed(held.trust, self.place.days[night - 1])
            return ""
        again, held.extended = held.extended, True
        return "expired" if again or held.monitor.fresh_t < self.how.weave.extension_t else ""

    def _foretold(self, held: Held, day: int) -> tuple[float, float]:
        """Return mean p (1 - p) in the rule at the tilt in force and at the cap of the next level."""
        k, level = held.of.detector, held.trust.level
        inside = self.mask(k, held.rule, day)
        u = self.tracks[k].u0[self.window(day)][inside]
        ahead = min(level + 1, len(self.how.caps) - 1)
        goal = held.of.lesson.sign * self.how.caps[ahead]
        now = law.overlap(u, held.tilt, law.floor_for(level, FLOOR))
        return now, law.overlap(u, goal, law.floor_for(ahead, FLOOR))

    def night(self, night: int, search: bool = True) -> None:
        """Judge, look for lessons, move: everything between day `night` - 1 and the next."""
        changed = self.judge(night)
        fresh = self._found(night) if search and self.how.arm != "thompson" else []
        before = len(self.held)
        self.take(night, fresh)
        self.move()
        if changed or len(self.held) > before:
            self.rebuild(night)

    def rebuild(self, night: int) -> None:
        """Make the day sums of the search window anew over the present baselines, when no look waits for the old."""
        self._caught_up()
        for k in range(len(self.tracks)):
            if self.based.get(k, ()) != self.believed(k):
                self.based[k] = self.believed(k)
                for day in range(max(0, night - self.settings.search_days), night):
                    self.keep(k, day)

    def keep(self, k: int, day: int) -> None:
        """Store the day's sums of every rule of a detector where a look will read them."""
        if self.looking:
            Loop.keep(self, k, day)

    def _support(self, k: int, day: int, taken: NDArray[np.bool_], weight: Floats) -> None:
        if self.looking:
            Loop._support(self, k, day, taken, weight)

    def _found(self, night: int) -> list[Believed]:
        """Return what a night accepts; draws wait until the data alone are beyond the floor in both lanes."""
        s = self.settings
        reached = allowance(self.due[-1], s.draws, s.alpha) if self.due else self.spent.day.spent
        if allowance(night, s.draws, s.alpha) <= reached:
            return []
        self.due.append(night)
        if self._glance(night) <= s.min_evidence_nats - ROUNDING:
            return []
        bars = self._caught_up()
        return self.promote(night, bars) if np.isfinite(bars).all() else []

    def _caught_up(self) -> Both[float]:
        """Look with the draws on every night that is due; return the bars of the last, inf where it did not pass."""
        bars, s = Both(np.inf, np.inf), self.settings
        for night in self.due:
            lanes = self.look(night)
            looks = [nightly_look(of, night, *one, s.alpha) for of, one in zip(self.spent, lanes, strict=True)]
            self.spent, bars = Both(looks[0].state, looks[1].state), Both(looks[0].critical, looks[1].critical)
            if any(real <= max(bar, s.min_evidence_nats) for bar, (real, _) in zip(bars, lanes, strict=True)):
                bars = Both(np.inf, np.inf)
        self.due = []
        return bars

    def _glance(self, night: int) -> float:
        """Return the smaller lane's largest M of the data alone, within rounding."""
        signs, self.signs = self.signs, self.signs[:, :0]
        lanes = self.look(night)
        self.signs = signs
        return min(lanes.day[0], lanes.rest[0])

    def change(self, active: list[Believed], night: int) -> None:
        """Keep nothing of `promote`: this loop holds its lessons itself."""

    def _sampled(self, day: int) -> dict[int, Floats]:
        """Return the tilts of a Thompson sampler: the best rules by draws of every rule's effect, no test at all."""
        first, rng = max(0, day - self.settings.search_days), stream(self.place.seed, "thompson", day)
        out: dict[int, Floats] = {}
        if day < self.settings.min_days:
            return out
        for k in range(len(self.tracks)):
            number = np.flatnonzero(self.eligible(k, first, day))
            if not len(number):
                continue
            gain = self.total[0, k, first:day][:, number].sum(axis=0, dtype=np.float64)
            noise = self.square[0, k, first:day][:, number].sum(axis=0, dtype=np.float64)
            whole = self.support[k, 0, first:day].sum(axis=0, dtype=np.float64)[None]
            weight = box_moments(self.space.lean(whole), np.ones(1), *self.space.table)[0][number]
            variance = noise / weight**2
            share = PRIOR_BPS**2 / (PRIOR_BPS**2 + variance)
            drawn = share * gain / weight + np.sqrt(share * variance) * rng.standard_normal(len(number))
            best = np.argsort(-np.abs(drawn) * weight, kind="stable")[:TRIED]
            cap = self.how.weave.trust_caps[-1]
            masks = [self.mask(k, self.space.rule(int(number[i])), day) for i in best]
            rules = [(float(np.sign(drawn[i])) * cap, 1, cap, m) for i, m in zip(best, masks, strict=True)]
            out[k] = tilts(self.logits(day)[k], rules, self.how.weave)
        return out
