"""Earned trust: how strongly a lesson may act, by evidence after its activation, and never beyond what can be noticed.

A micro braid has a level 0, 1, 2, ... with a cap of its tilt (logits). Every learning day in force gives s D, the gain
inside the rule in the lesson's direction, the smaller of the two lanes, and H, the overlap weight there, both at the
logged propensities (`rule_days`). Two questions are asked of them, and both must be answered for a level more:

- *Is it true?* E = mean over l in `RATES` of prod f(l x), x = s D / scale, scale = mean |D| of the selection days
  (`scale_of`), fixed; f(y) = 1 + tanh(y) above zero, 1 + y below, and a rate that a day takes to zero is ruined for
  good, by a selection day too. f <= 1 + tanh(y) = exp(y) / cosh(y), of mean one for symmetric noise, whatever its tails
  and the propensities were; f <= 1 + y where no day ruins, of mean one for noise as skewed as it likes. So for a false
  lesson of symmetric days, or of days never worse than its worst selection day, E is a supermartingale and ever reaches
  c with probability at most 1 / c, however often it is read (Ville). Level k needs E >= 20 * 10^(k - 1): such a lesson
  ever reaches level 1, 2, 3 with at most 5, .5, .05 %. Of losses that no day has shown yet nothing is promised.
- *Would its death be noticed?* (mean - one standard error) / sd of s D / sqrt(H) over the last 20 days, times
  sqrt(h_next / h_now), is the lower estimate of the daily signal to noise at the next cap. Below 1 at the present one
  costs a level; one day that pays less than minus one deviation costs all of them. A day that pays less than nothing,
  or that costs a level, begins a doubt (`doubt`), in which a dead lesson is reverted within days.

Interface, in the order of a night: `caps_for` (an empty answer or one cap: no level is ever earned), `begin` when a
braid comes into force, `after_day` once a learning day (a day is never taken twice; what it decides is a `TrustStep`, a
row of `braid_trust`), `lowered`, `frozen`, `thawed` for review acts, `renewed` at the end of the time to live of a
braid of level >= 1 (level 0: as ever), `tilt_for`, `floor_for`, `total_cap`, `gate_of` and `gate_after` for what the
version holds. A braid that ends (monitor at 20, audit, dry, expired) loses its trust with its patch; a successor on
the same axes inherits it. No board, no row, no clock here. In the literature: testing by betting (Shafer 2021),
e-values for symmetry (de la Pena 1999, Ramdas et al. 2023), safe exploration.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lotus import mathx
from lotus.errors import BeliefError
from lotus.hashing import round_learned
from lotus.learning.rows import DetectorRows
from lotus.manifest import WeaveDefaults
from lotus.plain import later
from lotus.priors.types import Rule
from lotus.weave.doubt import Doubt, bet, mixed, rounded, rule_blocks

RATES = (0.1, 0.2, 0.4, 0.8, 1.6)  # l, the betting fractions of the mixture
FIRST_AT, EACH_TIMES = 20.0, 10.0  # E that level 1 needs (and a new life), and how many times that each further one
UP_SNR, DOWN_SNR = 1.5, 1.0  # lower estimate of the daily signal to noise: foretold for a level more, kept for this one
RUINED = -1000.0  # ln of the product of a rate that a day took to zero
RECENT_DAYS, FEW_DAYS = 20, 5  # learning days of the estimate, and below how many there is none
ADVERSE_SD = 1.0  # a day that pays less than minus this many deviations takes all levels
QUIET_DAYS = 30  # learning days in a row with E below its value at the last change that cost a level
LEAST_FLOOR = 0.05  # inside a rule of level >= 1 the propensity stays this far from 0 and 1
THROUGH_PATCH = 1.0  # logits that the patch (theta, phi) carries; the gate carries the rest
BESIDE = 0.5  # logits that all braids together may add to the largest cap of those that fire
GATE_NIGHT, CONTRACTION = 0.25, 0.5  # logits a night and level that a gate may move, and its step towards its goal

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TrustDay:
    """What one learning day tells of one braid.

    `gain` = s D in bps, the smaller lane; `weight` H >= 0; both over the rule, at the logged propensities. `h_now`,
    `h_next`: mean p (1 - p) in the rule at the tilt in force and at the cap of the next level (`overlap`). `short`: by
    how much each hour falls short of the claim, in deviations (`shortfalls`), of a lesson in doubt.
    """

    day: str
    gain: float
    weight: float
    h_now: float
    h_next: float
    short: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Trust:
    """The trust in one braid. `scale` in bps of day sums; `logs` = ln of the products of E per rate since activation,
    `RUINED` for good at the lowest.

    `recent` = s D / sqrt(H) of the last 20 days; `mark` = ln E at the last change of level, on the day `changed_on`
    ("" before any); `quiet_days` in a row with E below that; `held` = no rise (a review froze it), `ceiling` = the
    highest level a review allows; `renewal` = ln E when the present life began; `last_day` taken in; `doubt` whether it
    is dead, None while nobody asks, and `doubts` so far.
    """

    scale: float
    level: int = 0
    logs: tuple[float, ...] = (0.0,) * len(RATES)
    recent: tuple[float, ...] = ()
    mark: float = 0.0
    changed_on: str = ""
    quiet_days: int = 0
    held: bool = False
    ceiling: int | None = None
    renewal: float = 0.0
    last_day: str = ""
    doubt: Doubt | None = later(None)
    doubts: int = later(0)

    def __post_init__(self) -> None:
        if not (self.scale > 0.0 and self.level >= 0 and len(self.logs) == len(RATES)):
            raise BeliefError(
                f"trust of level {self.level}, scale {self.scale} bps and {len(self.logs)} rates",
                f"a positive scale, no negative level and {len(RATES)} rates",
                "a lesson without scatter on its selection days",
            )

    @property
    def log_e(self) -> float:
        """ln E of the days since activation, 0 before the first."""
        return mixed(self.logs)

    @property
    def e_value(self) -> float:
        """E, at most e^700."""
        return mathx.exp(self.log_e)

    @property
    def spread(self) -> float:
        """The deviation of the recent days; 0 before five of them."""
        n = len(self.recent)
        if n < FEW_DAYS:
            return 0.0
        mean = sum(self.recent) / n
        return math.sqrt(sum((z - mean) ** 2 for z in self.recent) / (n - 1))

    @property
    def snr_low(self) -> float:
        """The lower estimate of the daily signal to noise at the tilts of the last days; 0 before five of them."""
        n, spread = len(self.recent), self.spread
        return rounded(sum(self.recent) / n / spread - 1.0 / math.sqrt(n)) if spread > 0.0 else 0.0

    @property
    def dead(self) -> bool:
        """Whether the days in doubt say that it is dead: it is to be reverted."""
        return self.doubt is not None and self.doubt.dead

    @property
    def adverse(self) -> bool:
        """Whether the last day alone speaks against the lesson."""
        return self.spread > 0.0 and self.recent[-1] < -ADVERSE_SD * self.spread


@dataclass(frozen=True, slots=True)
class TrustStep:
    """What a day decided: levels before and after, E, both lower estimates, the cap in logits, and why, in words."""

    day: str
    before: int
    level: int
    e_value: float
    snr_low: float
    snr_next: float
    cap: float
    reason: str

    @property
    def moved(self) -> bool:
        """Whether the level changed."""
        return self.level != self.before


def caps_for(grade: str, weave: WeaveDefaults) -> tuple[float, ...]:
    """Return the caps of a braid's levels, logits; a live account gives grade B half of each and two levels at most.

    >>> caps_for("B", WeaveDefaults()), caps_for("B", WeaveDefaults(account="live"))
    ((0.5, 1.0, 2.0, 3.0), (0.25, 0.5))
    """
    if weave.account != "live" or grade == "A":
        return weave.trust_caps if grade in ("A", "B") else ()
    return tuple(0.5 * cap for cap in weave.trust_caps[:2]) if grade == "B" else ()


def begin(scale: float, selected: str = "", worst: float = 0.0) -> Trust:
    """Return the trust of a braid that comes into force; days up to `selected` are its selection and count nothing.

    Rates that the worst gain of those days (bps) would have ruined are not bet.
    """
    trust = Trust(float(round_learned(np.array([scale]))[0]), last_day=selected)
    return replace(trust, logs=tuple(0.0 if _grown(0.0, rate * worst / scale) > RUINED else RUINED for rate in RATES))


def anew(trust: Trust) -> Trust:
    """Return the trust of a braid that left its force: no level is kept, what reviews hold and what is ruined is."""
    logs = tuple(RUINED if total <= RUINED else 0.0 for total in trust.logs)
    return replace(begin(trust.scale, trust.last_day), logs=logs, held=trust.held, ceiling=trust.ceiling)


def rule_days(rows: DetectorRows, rule: Rule, sign: int, others: tuple[Rule, ...]) -> tuple[Floats, Floats]:
    """Return s D (smaller lane, bps) and H per learning day of `rows` [days], at the logged propensities.

    `others`: the rules in force beside this one; the baseline holds them, and never the rule itself.
    """
    blocks = rule_blocks(rows, rule, others)
    rest = blocks.rest or blocks
    day, other, weight = (
        np.bincount(rows.lane_day, weights=x, minlength=len(rows.days)) for x in (blocks.gain, rest.gain, blocks.weight)
    )
    return np.minimum(sign * day, sign * other), weight.astype(np.float64)


def scale_of(gains: Floats) -> float:
    """Return the scale of x from the gains of the selection days [days], bps: their mean size."""
    return float(np.abs(gains).mean()) if len(gains) else 0.0


def overlap(u: Floats, tilt: float, floor: float) -> float:
    """Return mean p (1 - p) at logits `u` [n] without the braid, moved by `tilt`, p within its floor, 0 for none."""
    if not len(u):
        return 0.0
    p = np.clip(1.0 / (1.0 + np.exp(-(u + tilt))), floor, 1.0 - floor)
    return float((p * (1.0 - p)).mean())


def after_day(trust: Trust, seen: TrustDay, caps: tuple[float, ...]) -> tuple[Trust, TrustStep | None]:
    """Return the trust after one more learning day and what the day decided; nothing for a day already taken in.

    A day without weight in the rule teaches nothing and decides nothing.
    """
    if seen.day <= trust.last_day:
        return trust, None
    if not seen.weight > 0.0:
        return replace(trust, last_day=seen.day), None
    x, z = seen.gain / trust.scale, seen.gain / math.sqrt(seen.weight)
    logs = tuple(_grown(total, rate * x) for rate, total in zip(RATES, trust.logs, strict=True))
    grown = replace(trust, logs=logs, recent=(*trust.recent, rounded(z))[-RECENT_DAYS:], last_day=seen.day)
    quiet = trust.quiet_days + 1 if trust.level and grown.log_e < trust.mark else 0
    doubt = trust.doubt.after(seen.short) if trust.doubt else None
    after, step = _decided(replace(grown, quiet_days=quiet, doubt=doubt), seen, caps)
    return _asked(after, trust.level, seen.gain), step


def _asked(trust: Trust, before: int, gain: float) -> Trust:
    """Return the trust with a doubt that begins or is over tonight; its own day counts nothing in it."""
    if trust.doubt and (trust.level > before or trust.doubt.over):
        trust = replace(trust, doubt=None)
    if trust.doubt or before == 0 or not (gain < 0.0 or trust.level < before):
        return trust
    return replace(trust, doubt=Doubt(trust.doubts + 1), doubts=trust.doubts + 1)


def _decided(trust: Trust, seen: TrustDay, caps: tuple[float, ...]) -> tuple[Trust, TrustStep]:
    top = max(0, len(caps) - 1)
    top = top if trust.ceiling is None else min(top, trust.ceiling)
    snr = trust.snr_low
    ahead = rounded(snr * math.sqrt(seen.h_next / seen.h_now)) if seen.h_now > 0.0 else 0.0
    level, reason = _verdict(trust, top, ahead)
    after = trust if level == trust.level else _changed(trust, level)
    cap = caps[level] if level < len(caps) else 0.0
    return after, TrustStep(seen.day, trust.level, level, trust.e_value, snr, ahead, cap, reason)


def _verdict(trust: Trust, top: int, ahead: float) -> tuple[int, str]:
    level, snr = trust.level, trust.snr_low
    if level > top:
        return top, f"level {top} is the highest allowed"
    if level and trust.adverse:
        return 0, f"a day more than {ADVERSE_SD:g} deviation against it"
    if level and len(trust.recent) >= FEW_DAYS and snr < DOWN_SNR:
        return level - 1, f"daily signal to noise at least {snr:.2f}, {DOWN_SNR:g} needed: its death could go unnoticed"
    if level and trust.quiet_days >= QUIET_DAYS:
        return level - 1, f"E below its value at the last change for {trust.quiet_days} learning days"
    if level == top:
        return level, f"level {top} is the highest allowed"
    need = needed(level + 1)
    if trust.log_e < mathx.log(need):
        return level, f"E {trust.e_value:.3g}, {need:g} needed for level {level + 1}"
    if trust.held:
        return level, f"E {trust.e_value:.3g} reached {need:g}; frozen by a review"
    if ahead < UP_SNR:
        return level, f"E {trust.e_value:.3g} reached {need:g}; signal to noise {ahead:.2f} foretold, {UP_SNR:g} needed"
    return level + 1, f"E {trust.e_value:.3g} reached {need:g}; signal to noise {ahead:.2f} foretold at the next cap"


def needed(level: int) -> float:
    """Return the E that a level needs: a false lesson ever reaches it with at most one in so many.

    >>> needed(1), needed(3)
    (20.0, 2000.0)
    """
    return FIRST_AT * math.pow(EACH_TIMES, level - 1)


def _changed(trust: Trust, level: int) -> Trust:
    return replace(trust, level=level, mark=trust.log_e, changed_on=trust.last_day, quiet_days=0)


def lowered(trust: Trust, ceiling: int) -> Trust:
    """Return the trust whose level a review keeps at or below `ceiling` from now on; raises for a negative one."""
    if ceiling < 0:
        raise BeliefError(f"a ceiling of {ceiling}", "a level, 0 or more")
    lowest = ceiling if trust.ceiling is None else min(ceiling, trust.ceiling)
    held = replace(trust, ceiling=lowest)
    return held if trust.level <= lowest else _changed(held, lowest)


def frozen(trust: Trust) -> Trust:
    """Return the trust that rises no further; downs go on."""
    return replace(trust, held=True)


def thawed(trust: Trust) -> Trust:
    """Return the trust without what reviews held it by; its level still has to be earned."""
    return replace(trust, held=False, ceiling=None)


def renewed(trust: Trust, day: str) -> tuple[Trust, str]:
    """Return the trust for another life after the time to live ended on `day`, and why; of level >= 1 alone.

    The life must have brought an E of 20 anew; else it costs a level.
    """
    earned = mathx.exp(trust.log_e - trust.renewal)
    told = f"E grew {earned:.3g} times in this life, {FIRST_AT:g} needed"
    kept = replace(trust, renewal=trust.log_e)
    if earned >= FIRST_AT:
        return kept, f"extended: {told}"
    return _changed(replace(kept, last_day=max(day, trust.last_day)), trust.level - 1), f"one level down: {told}"


def tilt_for(trust: Trust, sign: int, asked: float, caps: tuple[float, ...]) -> float:
    """Return the tilt that a braid wants, logits: what its bound asks for at level 0, beyond that the whole cap."""
    return asked if trust.level == 0 else sign * caps[trust.level]


def floor_for(level: int, floor: float) -> float:
    """Return the least distance of the propensity from 0 and 1 inside a rule of this level."""
    return max(floor, LEAST_FLOOR) if level else floor


def total_cap(fired: tuple[float, ...], weave: WeaveDefaults) -> float:
    """Return the bound of the whole tilt of a detector and window where braids with the caps `fired` fire, logits.

    >>> [total_cap(fired, WeaveDefaults()) for fired in ((0.5, 0.5), (0.5, 2.0), (3.0,))]
    [1.0, 2.5, 3.0]
    """
    most = max((weave.max_total_tilt, *weave.trust_caps))
    return min(max(weave.max_total_tilt, max(fired, default=0.0) + BESIDE), most)


def gate_of(tilt: float) -> float:
    """Return what of a tilt is beyond the patch's one logit and goes through the gate, logits.

    >>> gate_of(3.0), gate_of(-0.5)
    (2.0, 0.0)
    """
    return math.copysign(max(0.0, abs(tilt) - THROUGH_PATCH), tilt) + 0.0


def gate_after(now: float, goal: float, level: int) -> float:
    """Return a gate (logits) after one night: half of the way out, at most a quarter a level; all of the way back.

    >>> gate_after(0.5, 2.0, 3), gate_after(0.0, 0.2, 2), gate_after(2.0, 1.0, 2), gate_after(2.0, -1.0, 1)
    (1.25, 0.1, 1.0, -0.25)
    """
    start = math.copysign(min(abs(now), abs(goal)), goal) if now * goal > 0.0 else 0.0
    limit = GATE_NIGHT * max(level, 1)
    return rounded(start + max(-limit, min(limit, CONTRACTION * (goal - start))))


def _grown(total: float, y: float) -> float:
    """Return the ln of a product with the factor of one more day; ruined for good at y <= -1 or no number."""
    if total <= RUINED or not y > -1.0:
        return RUINED
    return max(RUINED, rounded(total + (bet(y) if y > 0.0 else mathx.log(1.0 + y))))
