"""A planted lesson dies in the product's own nights: when its patch is gone, and how often a living one is reverted.

`python -m benchmarks.lessons.drift --row drift-dies-15 --seeds 1-40`: one detector, one lesson of one or two literals,
every night through `pipeline` with its patch in force. The effect is set in each world so that the daily SNR, effect
over the standard error of one day, is that of the row. `dies` loses it half-way; `lives` keeps it; `long` dies under a
time to live of 120 + 120 days, which leaves the e-process alone with the budget of 960 blocks that the tables of the
design were made with. A lesson is the planted one when its sign is and its windows overlap by half.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from benchmarks.lessons.claims import Claim, Counts, total
from benchmarks.lessons.command import command
from benchmarks.lessons.evidence import FOLDER, ROOT, Row, Study, best_rows
from benchmarks.lessons.pipeline import Walk, lasting
from benchmarks.lessons.worlds import Figures, Truth
from benchmarks.lessons.year_loop import slice_of
from lotus.learning.demean import demean
from lotus.learning.monitor import RHO
from lotus.learning.rows import rows_by_detector
from lotus.manifest import LearningDefaults, Manifest
from lotus.priors.types import Rule
from lotus.priors.vocabulary import rule_mask
from lotus.simulation.learning_world import Market, market, planted_rules, scores_of, track
from lotus.weave.braid import Braid
from lotus.weave.night import WovenNight

NAME = "d0"
CAUSES = ("reverted", "expired", "audit", "dry", "orphaned")
PRODUCT = Manifest(learning=LearningDefaults(max_literals=2))
BUDGET_DAYS = 120  # with the extension 240 days, 960 blocks


@dataclass(frozen=True, slots=True)
class Drift:
    """A world of one detector with one lesson: its daily SNR, whether it dies half-way, days and windows a day."""

    snr: float
    dies: bool
    days: int = 120
    windows: int = 1_080
    manifest: Manifest = PRODUCT


@dataclass(slots=True)
class Life:
    """A braid of the planted lesson in force: the night it came, the last night that kept it, and what took it."""

    braid: Braid
    first: int
    last: int
    cause: str = ""


@dataclass(slots=True)
class Told:
    """What the nights of one world did to the planted lesson; `acting` holds the nights whose version acts on it."""

    planted: Callable[[Rule, int], bool]
    accepted: int = 0
    others: int = 0
    acting: set[int] = field(default_factory=set)
    lives: dict[str, Life] = field(default_factory=dict)

    def take(self, night: int, woven: WovenNight) -> None:
        """Take in one night."""
        causes = {alert.braid_id: alert.kind for alert in woven.alerts}
        for braid in woven.braids:
            if not self.planted(braid.rule, braid.sign):
                self.others += braid.in_force and braid.monitor is not None and braid.monitor.blocks == 0
                continue
            self.accepted = self.accepted or night
            if braid.in_force:
                self.lives.setdefault(braid.braid_id, Life(braid, night, night)).last = night
                self.acting.add(night)
            elif braid.braid_id in self.lives and not self.lives[braid.braid_id].cause:
                self.lives[braid.braid_id].cause = causes.get(braid.braid_id, "replaced")


def measure(drift: Drift, seed: int) -> Figures:
    """Return what became of the planted lesson's patch in one world."""
    began = time.process_time()
    place = market(seed, drift.days, drift.windows)
    rule = planted_rules(seed, place, 1.0)[seed % min(2, drift.manifest.learning.max_literals)][0]
    effect, coverage = strength(place, rule, drift.snr)
    one = track(place, "drift" if drift.dies else "plant", NAME, ((rule, effect),))
    mask = rule_mask(rule, one.bins)

    def planted(found: Rule, sign: int) -> bool:
        other = rule_mask(found, one.bins)
        return sign > 0 and float((mask & other).sum()) >= 0.5 * float((mask | other).sum())

    walk, told = Walk(place, [one], drift.manifest), Told(planted)
    for night in range(1, drift.days + 1):
        told.take(night, walk.night(night)[1])
    out: Figures = {"snr": drift.snr, "effect_bps": effect, "coverage": coverage, "accepted": told.accepted}
    out |= {"others": told.others, "nights_in_force": len(told.acting)}
    out |= after_death(told, drift.days // 2, drift.days) if drift.dies else while_true(told, walk)
    return out | {"cpu_s": round(time.process_time() - began, 2)}


def strength(place: Market, rule: Rule, snr: float) -> tuple[float, float]:
    """Return the effect in bps whose uplift is `snr` standard errors of one day, and the rule's share of the windows.

    The error is that of the daily mean weighed by overlap, from the same world without the lesson.
    """
    plain = track(place, "conf", NAME)
    rows = rows_by_detector(scores_of(place, plain), len(place.days))[NAME]
    days, inside, basis = len(rows.days), rows.covered(rule), rows.basis()
    noise = demean(basis, rows.h, rows.f, rows.day, days)
    unit = demean(basis, rows.h, rows.h * inside, rows.day, days)
    by_day = np.bincount(rows.day[inside], weights=noise[inside], minlength=days)
    weight = float(rows.h[inside].sum())
    error = np.sqrt(np.mean(by_day**2)) / (weight / days)
    return float(snr * error / (unit[inside].sum() / weight)), float(inside.mean())


def after_death(told: Told, death: int, days: int) -> Figures:
    """Return how long the patch outlived its lesson; `death` is the last night of a day on which it was true."""
    held = death in told.acting
    gone = next((night for night in range(death + 1, days + 1) if night not in told.acting), 0) if held else 0
    ended = [life.cause for life in told.lives.values() if life.last == gone - 1]
    out: Figures = {"held": int(held), "delay": gone - death if gone else 0}
    out["cause"] = ended[0] if gone and ended else ""
    out["nights_dead"] = sum(night > death for night in told.acting)
    out["returned"] = int(gone > 0 and any(night > gone for night in told.acting))
    return out | {"early": sum(life.cause == "reverted" and life.last < death for life in told.lives.values())}


def while_true(told: Told, walk: Walk) -> Figures:
    """Return lives and reverts, against what each lesson was worth while it acted."""
    out: Figures = dict.fromkeys(("lives", "reverted", "true", "true_reverted", "claim", "claim_reverted"), 0)
    for life in told.lives.values():
        share = worth(life, walk) / life.braid.claim_bps
        counted = [""] + ["true"] * (share >= RHO) + ["claim"] * (share >= 1.0)
        for kind in counted:
            out[kind or "lives"] = int(out[kind or "lives"]) + 1
            name = f"{kind}_reverted" if kind else "reverted"
            out[name] = int(out[name]) + (life.cause == "reverted")
    return out


def worth(life: Life, walk: Walk) -> float:
    """Return the expected uplift of a braid's rule on the days on which it was watched, bps."""
    first, last = life.first, min(life.last + 1, len(walk.place.days))
    days = walk.place.days[first:last] or walk.place.days[last - 1 : last]
    kept, (one,) = walk.past[NAME], walk.tracks
    rows = rows_by_detector({day: kept.scores[day] for day in days}, len(days))[NAME]
    seen = slice_of(one, slice(0, last * walk.place.windows))
    return Truth(rows, seen, (), np.ones(len(days))).uplift(life.braid.rule)


def lines(folder: Path = FOLDER) -> list[str]:
    """Return the table of delays as Markdown lines; empty without rows."""
    out = []
    for name, study in STUDIES.items():
        rows = best_rows(study, folder)
        if not rows:
            continue
        came = quantiles([int(row["accepted"]) or np.inf for row in rows])
        held = [row for row in rows if row.get("held") == "1"]
        delays = [int(row["delay"]) or np.inf for row in held]
        alone = [int(row["delay"]) for row in held if row["cause"] == "reverted"]
        by = ", ".join(f"{c} {n}" for c in CAUSES if (n := sum(row["cause"] == c for row in held)))
        effect = quantiles([float(row["effect_bps"]) for row in rows])[0]
        cells = [f"{float(rows[0]['snr']):g}", f"{effect:.1f} bps", _days(came)]
        cells += [str(len(held)), _days(quantiles(delays)), _days(quantiles(alone)), by]
        out.append(f"| `{name}` | {len(rows)} | {' | '.join(cells)} |")
    names = "study | worlds | daily SNR | effect, median | accepted on night | in force at the death"
    head = f"| {names} | nights until it is gone | the same, reverted | taken away by |"
    return [head, "|---" * 9 + "|", *out, "", "Nights are median / 90 % quantile.", ""] if out else []


def quantiles(values: Sequence[float]) -> tuple[float, float]:
    """Return median and 90 % quantile, each a value that occurred; nan without values."""
    if not values:
        return float("nan"), float("nan")
    low, high = (float(np.quantile(values, q, method="higher")) for q in (0.5, 0.9))
    return low, high


def _days(pair: tuple[float, float]) -> str:
    return " / ".join("" if x != x else "never" if x == np.inf else f"{x:.0f}" for x in pair)


def _within(nights: int) -> Callable[[Sequence[Row]], Counts]:
    def counts(rows: Sequence[Row]) -> Counts:
        held = [int(row["delay"]) for row in rows if row["held"] == "1"]
        return sum(0 < delay <= nights for delay in held), len(held)

    return counts


def _before(night: int) -> Callable[[Sequence[Row]], Counts]:
    return lambda rows: (sum(0 < int(row["accepted"]) <= night for row in rows), len(rows))


def _small(drift: Drift) -> Drift:
    learning = LearningDefaults(max_literals=1, draws=100, alpha=0.2)
    manifest = replace(drift.manifest, learning=learning)
    return replace(drift, snr=4.0 * drift.snr, days=30, windows=432, manifest=manifest)


_HERE = (
    *(Path(__file__).with_name(name) for name in ("drift.py", "pipeline.py", "worlds.py", "year_loop.py")),
    *sorted((ROOT / "lotus" / "weave").glob("*.py")),
)
_LONG = lasting(PRODUCT, BUDGET_DAYS)
_WORLDS = {
    f"drift-{name}-{round(10 * snr)}": world
    for snr in (1.5, 3.0)
    for name, world in (
        ("dies", Drift(snr, dies=True)),
        ("long", Drift(snr, dies=True, manifest=_LONG)),
        ("lives", Drift(snr, dies=False)),
    )
}
STUDIES = {name: Study(name, world, measure, _HERE, _small(world), 10.0) for name, world in _WORLDS.items()}


def _claims(snr: float, limit: int) -> list[Claim]:
    dies, long, lives = (f"drift-{kind}-{round(10 * snr)}" for kind in ("dies", "long", "lives"))
    gone = f"daily SNR {snr:g}: gone within {limit} nights of the death"
    return [
        Claim(dies, gone, _within(limit), 0.5, at_least=True),
        Claim(dies, "accepted by night 60", _before(60)),
        Claim(dies, "in force again after it was gone", total("returned", "held")),
        Claim(long, f"{gone}, e-process alone", _within(limit), 0.5, at_least=True),
        Claim(lives, "reverted although worth the bound or more", total("true_reverted", "true"), 0.05),
        Claim(lives, "reverted although worth the claim or more", total("claim_reverted", "claim"), 0.02),
        Claim(lives, "reverted, whatever it is worth", total("reverted", "lives")),
    ]


CLAIMS = [*_claims(1.5, 25), *_claims(3.0, 14)]

if __name__ == "__main__":
    raise SystemExit(command(STUDIES, CLAIMS, __doc__ or ""))
