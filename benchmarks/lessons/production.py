"""The production setting beside the one look: the whole night with its weights, slots, audits and recency gate.

`python -m benchmarks.lessons.production --row nightly-half --seeds 1-20`: ten detectors jointly, every rule of up to
three literals, nights 1 to 80 (nights without a slot are left out, they promote nothing), a quarter of the windows of
a full day. What was accepted joins the baseline; nothing is patched: the closed loop is `year`.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from benchmarks.lessons.claims import Claim, Counts, total
from benchmarks.lessons.command import command
from benchmarks.lessons.evidence import Row, Study
from benchmarks.lessons.worlds import FALSE_SHARE_OF_EFFECT, Figures, Truth, manifest_of
from lotus.learning.lesson import AuditState, Lesson
from lotus.learning.night import learn_night
from lotus.learning.rows import day_weights, rows_by_detector
from lotus.learning.slots import NOTHING_SPENT, allowance
from lotus.manifest import LearningDefaults
from lotus.priors.types import Rule
from lotus.simulation.learning_world import market, merged, planted_rules, scores_of, track

NIGHTS = (20, 40, 80)
_LENGTHS = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Nights:
    """A world of several detectors, lessons planted in the first, and how many nights are looked at."""

    kind: str
    effect_bps: float = 0.0
    days: int = 80
    windows: int = 1_080
    detectors: int = 10
    learning: LearningDefaults = field(default_factory=LearningDefaults)


def measure(nights: Nights, seed: int) -> Figures:
    """Return the night on which each planted lesson was accepted (0 = never), and how many lessons were false."""
    began = time.process_time()
    place, settings = market(seed, nights.days, nights.windows), nights.learning
    lessons = planted_rules(seed, place, nights.effect_bps) if nights.effect_bps else ()
    names = [f"d{k}" for k in range(nights.detectors)]
    tracks = [track(place, nights.kind, name, lessons if name == "d0" else (), 0.7) for name in names]
    scores = merged([scores_of(place, one) for one in tracks])
    state, audits = NOTHING_SPENT, dict[str, AuditState]()
    accepted: list[tuple[int, Lesson]] = []
    for night in range(1, nights.days + 1):
        if allowance(night, settings.draws, settings.alpha) <= state.day.spent:
            continue
        known = {day: scores[day] for day in place.days[:night]}
        active = [(x.detector_id, x.rule) for _, x in accepted]
        result = learn_night(known, manifest_of(settings), night=night, active=active, slots=state, audits=audits)
        state, audits = result.slots, {a.detector_id: a.state for a in result.audits}
        accepted += [(night, x) for x in result.lessons]
    rows = rows_by_detector(scores, nights.days)["d0"]
    truth = Truth(rows, tracks[0], lessons, np.ones(nights.days))
    out: Figures = {"any": int(bool(accepted)), "selected": len(accepted), "false": _false(truth, accepted, settings)}
    if lessons:
        for size in _LENGTHS:
            first = [night for night, x in accepted if truth.against([x])[f"found{size}"] and x.detector_id == "d0"]
            out[f"night{size}"] = min(first, default=0)
    return out | {"cpu_s": round(time.process_time() - began, 2)}


def _false(truth: Truth, accepted: Sequence[tuple[int, Lesson]], settings: LearningDefaults) -> int:
    """Count lessons of a detector without any, and those whose expected uplift on the days they saw is not theirs."""
    if not truth.lessons:
        return len(accepted)
    effect = max(abs(bps) for _, bps in truth.lessons)
    wrong, believed = 0, list[Rule]()
    for night, lesson in accepted:
        if lesson.detector_id != "d0":
            wrong += 1
            continue
        seen = np.zeros(len(truth.g))
        seen[:night] = day_weights(night, settings.half_life_days)
        at_the_time = replace(truth, g=seen)
        wrong += lesson.sign * at_the_time.uplift(lesson.rule, tuple(believed)) < FALSE_SHARE_OF_EFFECT * effect
        believed.append(lesson.rule)
    return int(wrong)


def _by(night: int, columns: Sequence[str], any_of: bool = False) -> Callable[[Sequence[Row]], Counts]:
    def counts(rows: Sequence[Row]) -> Counts:
        hits = [[0 < int(row[c]) <= night for c in columns] for row in rows]
        return (sum(map(any, hits)), len(rows)) if any_of else (sum(map(sum, hits)), len(columns) * len(rows))

    return counts


_WORLDS = {
    "nightly-conf": Nights("conf"),
    "nightly-half": Nights("plant", 6.0),
    "nightly-quarter": Nights("plant", 3.0),
}
_HERE = tuple(Path(__file__).with_name(name) for name in ("production.py", "worlds.py"))
STUDIES = {
    name: Study(name, nights, measure, _HERE, replace(nights, days=12, windows=432, detectors=2), 20.0)
    for name, nights in _WORLDS.items()
}
_ALL = [f"night{size}" for size in _LENGTHS]
CLAIMS = [Claim("nightly-conf", "any false lesson in 80 nights", total("any"), 0.05)]
for _name, _e, _bar in (("nightly-half", "e = .5 sd", 0.60), ("nightly-quarter", "e = .25 sd", None)):
    CLAIMS += [Claim(_name, f"{_e}: planted lessons accepted by night {n}", _by(n, _ALL)) for n in NIGHTS]
    CLAIMS += [
        Claim(_name, f"{_e}: any of them by night 80", _by(80, _ALL, any_of=True), _bar, at_least=True),
        Claim(_name, "false share of the lessons", total("false", "selected"), 0.05),
    ]

if __name__ == "__main__":
    raise SystemExit(command(STUDIES, CLAIMS, __doc__ or ""))
