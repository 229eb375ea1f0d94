"""A year of nightly looks: is any false lesson ever believed, what power is left, and how the obvious procedures fail.

`python -m benchmarks.lessons.year --row year-null --seeds 1-200`: ten detectors with correlated payoffs in the closed
loop of `year_loop`, 365 nights, rules of up to two literals, production weights and slots. Two wrong procedures look at
the same days every third night (they believe nothing, so the loop is not theirs): alpha every night, and the cumulative
maximum of the draws without slots. The one-look figure beside the power is a single look at the last 90 days.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.lessons.claims import Claim, Counts, sums, total
from benchmarks.lessons.command import command
from benchmarks.lessons.evidence import Row, Study
from benchmarks.lessons.worlds import FALSE_SHARE_OF_EFFECT, Figures, Truth, jaccard
from benchmarks.lessons.year_loop import Believed, Loop, slice_of
from lotus.learning.lanes import Both
from lotus.learning.rows import day_weights
from lotus.learning.search import one_look_critical
from lotus.learning.slots import FIRST_NIGHT, NOTHING_SPENT, allowance, nightly_look
from lotus.manifest import LearningDefaults
from lotus.priors.types import Rule
from lotus.simulation.learning_world import market, planted_rules, track

PLANTED = 2  # lessons of one and of two literals, in the first detector
NIGHTS = (20, 40, 80, 365)
Lessons = Sequence[tuple[Rule, float]]


@dataclass(frozen=True, slots=True)
class Year:
    """A world of many detectors and how long it is looked at; the wrong procedures run in one seed of `wrong_every`."""

    kind: str
    effect_bps: float = 0.0
    days: int = 365
    windows: int = 1_080
    detectors: int = 10
    herd: float = 0.7
    wrong_every: int = 4
    learning: LearningDefaults = field(default_factory=lambda: LearningDefaults(max_literals=2))


def _loop(year: Year, seed: int) -> tuple[Loop, Lessons]:
    place = market(seed, year.days, year.windows)
    lessons = planted_rules(seed, place, year.effect_bps)[:PLANTED] if year.effect_bps else ()
    names = [f"d{k}" for k in range(year.detectors)]
    tracks = [track(place, year.kind, name, lessons if name == "d0" else (), year.herd) for name in names]
    return Loop(place, tracks, year.learning, year.kind != "null"), lessons


def measure(year: Year, seed: int) -> Figures:
    """Return what the year of looks believed, against the truth."""
    began = time.process_time()
    loop, lessons = _loop(year, seed)
    state, wrong = NOTHING_SPENT, _Wrong(year.learning.alpha, year.learning.draws)
    believed: list[Believed] = []
    false = 0
    first_found = [0] * len(lessons)
    for night in range(1, year.days + 1):
        loop.publish(night - 1)
        loop.expire(night)
        due = allowance(night, year.learning.draws, year.learning.alpha) > state.day.spent
        failing = seed % year.wrong_every == 0 and night > FIRST_NIGHT and night % 3 == 0
        if not due and not failing:
            continue
        lanes = loop.look(night)
        if failing:
            wrong.look(*lanes.rest)
        if not due:
            continue
        looks = Both(
            *(nightly_look(of, night, *one, year.learning.alpha) for of, one in zip(state, lanes, strict=True))
        )
        state = Both(looks.day.state, looks.rest.state)
        if any(
            real <= max(x.critical, year.learning.min_evidence_nats) for x, (real, _) in zip(looks, lanes, strict=True)
        ):
            continue
        before = {k: loop.believed(k) for k in range(year.detectors)}
        fresh = loop.promote(night, Both(looks.day.critical, looks.rest.critical))
        believed += fresh
        false += sum(_is_false(loop, one, night, lessons, before[one.detector]) for one in fresh)
        for i, (rule, bps) in enumerate(lessons):
            if not first_found[i] and any(_names(loop, one, night, rule, bps) for one in fresh):
                first_found[i] = night
    out: Figures = {"any": int(bool(believed)), "selected": len(believed), "false": false, "any_false": int(false > 0)}
    out |= {
        "crossed": int(all(0 in lane.crossed for lane in state)),
        "patched": sum(one.tilt != 0.0 for one in believed),
    }
    for i, night in enumerate(first_found):
        out[f"night{i + 1}"] = night
    out |= wrong.figures() if seed % year.wrong_every == 0 else {"alpha_each_night": "", "cumulative": ""}
    return out | {"cpu_s": round(time.process_time() - began, 2)}


@dataclass(slots=True)
class _Wrong:
    """Two procedures that look obvious: one look at alpha every night, and a bar from the draws' running maximum."""

    alpha: float
    draws: int
    each: bool = False
    cumulative: bool = False
    running: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        self.running = np.full(self.draws, -np.inf)

    def look(self, real: float, maxima: NDArray[np.float64]) -> None:
        """Take one night's look."""
        self.running = np.maximum(self.running, maxima)
        self.each |= real > one_look_critical(maxima, self.alpha)
        self.cumulative |= real > one_look_critical(self.running, self.alpha)

    def figures(self) -> Figures:
        """Return whether either would have believed anything."""
        return {"alpha_each_night": int(self.each), "cumulative": int(self.cumulative)}


def _is_false(loop: Loop, one: Believed, night: int, lessons: Lessons, before: tuple[Rule, ...]) -> bool:
    """Tell whether a lesson is false: nothing is planted in its detector, or its expected uplift is not of its sign."""
    if one.detector != 0 or not lessons:
        return True
    first = max(0, night - loop.settings.search_days)
    rows = loop.rows(0, first, night)
    seen = slice_of(loop.tracks[0], slice(loop.window(first).start, loop.window(night - 1).stop))
    truth = Truth(rows, seen, lessons, day_weights(len(rows.days), loop.settings.half_life_days))
    effect = max(abs(bps) for _, bps in lessons)
    return one.lesson.sign * truth.uplift(one.lesson.rule, before) < FALSE_SHARE_OF_EFFECT * effect


def _names(loop: Loop, one: Believed, night: int, rule: Rule, bps: float) -> bool:
    """Tell whether a lesson is a planted one under this or a neighbouring name."""
    if one.detector != 0 or one.lesson.sign != np.sign(bps):
        return False
    rows = loop.rows(0, max(0, night - loop.settings.search_days), night)
    return jaccard(rows, one.lesson.rule, rule) >= 0.5


def one_look(year: Year, seed: int) -> Figures:
    """Return what a single look at alpha over the same detectors finds after `year.days` days."""
    began = time.process_time()
    loop, lessons = _loop(year, seed)
    for day in range(year.days):
        loop.publish(day)
    lanes = loop.look(year.days)
    critical = Both(*(one_look_critical(maxima, year.learning.alpha) for _, maxima in lanes))
    passing = all(real > bar for (real, _), bar in zip(lanes, critical, strict=True))
    fresh = loop.promote(year.days, critical) if passing else []
    out: Figures = {"any": int(bool(fresh))}
    for i, (rule, bps) in enumerate(lessons):
        out[f"found{i + 1}"] = int(any(_names(loop, one, year.days, rule, bps) for one in fresh))
    return out | {"cpu_s": round(time.process_time() - began, 2)}


def _by(night: int, any_of: bool = False) -> Callable[[Sequence[Row]], Counts]:
    """Return a counter of planted lessons believed by a night; `any_of` counts worlds in which one is."""

    def counts(rows: Sequence[Row]) -> Counts:
        hits = [[0 < int(row[f"night{i + 1}"]) <= night for i in range(PLANTED)] for row in rows]
        return (sum(map(any, hits)), len(rows)) if any_of else (sum(map(sum, hits)), PLANTED * len(rows))

    return counts


def _wrong(column: str) -> Callable[[Sequence[Row]], Counts]:
    def counts(rows: Sequence[Row]) -> Counts:
        looked = [row for row in rows if row[column] != ""]
        return sum(int(row[column]) for row in looked), len(looked)

    return counts


def _small(year: Year) -> Year:
    return replace(year, days=24, windows=216, detectors=2)


_YEARS = {
    "year-null": Year("null"),
    "year-conf": Year("conf"),
    "year-half": Year("plant", 6.0, wrong_every=10**9),
    "year-quarter": Year("plant", 3.0, wrong_every=10**9),
}
_LOOKS = {"one-look-half": Year("plant", 6.0, days=90), "one-look-quarter": Year("plant", 3.0, days=90)}
_HERE = tuple(Path(__file__).with_name(name) for name in ("year.py", "year_loop.py", "worlds.py"))
STUDIES = {name: Study(name, year, measure, _HERE, _small(year), 6.0) for name, year in _YEARS.items()}
STUDIES |= {name: Study(name, year, one_look, _HERE, _small(year), 2.0) for name, year in _LOOKS.items()}
CLAIMS = [
    claim
    for name in ("year-null", "year-conf")
    for claim in (
        Claim(name, "any false lesson ever believed in 365 nights", total("any"), 0.05),
        Claim(name, "evidence alone crossed, before floor and gates", total("crossed"), 0.06),
        Claim(name, "alpha every night, same worlds", _wrong("alpha_each_night")),
        Claim(name, "running maximum without slots, same worlds", _wrong("cumulative")),
    )
]
for _name, _words, _bar in (("half", "e = .5 sd", 0.60), ("quarter", "e = .25 sd", None)):
    CLAIMS += [Claim(f"year-{_name}", f"{_words}: planted lessons believed by night {n}", _by(n)) for n in NIGHTS]
    CLAIMS += [
        Claim(f"year-{_name}", f"{_words}: any of them by night 80", _by(80, any_of=True), _bar, at_least=True),
        Claim(f"year-{_name}", f"{_words}: any of them by night 365", _by(365, any_of=True)),
        Claim(f"year-{_name}", "false share of the lessons", total("false", "selected"), 0.05),
        Claim(f"one-look-{_name}", f"{_words}: planted lessons found, one look at 90 days", sums(("found1", "found2"))),
    ]

if __name__ == "__main__":
    raise SystemExit(command(STUDIES, CLAIMS, __doc__ or ""))
