"""What a night of learning costs: ten detectors of 200,000 windows a day, at any length of history.

`python -m benchmarks.lessons.speed [--json] [--detectors 10] [--windows 200000] [--row NAME]`. CPU seconds of one
thread (`_wall_s`: of the clock). `night_quiet`: the newest day packed and summed from its windows, those of 89 days
read, no slot tonight. `night_look`: the same night with a slot and its draws, nothing promoted (the second channel,
which reads windows on four nights a year, has none). `history`: the quiet night with so many days of sums in the store.
`night_promoting`: one detector promotes a lesson from 90 days of kept windows. `search_365`: 365 days x 4 blocks, 400
draws. `atoms_year`: a year of day sums and lake atoms of one detector. `disk`: MB of one detector's atoms, by blocks
and compacted, and of a day's kept windows. `reference`: the sums of the newest day's scores per condition by NumPy
(`numpy.bincount`, 220 triples).
`peak_mb_so_far`: the largest memory up to the end of a row; ask for one row to see its own.
"""

import argparse
import cProfile
import json
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lotus.learning.axes import Axes, axes
from lotus.learning.cube import LESSON_ATOMS, atoms_of
from lotus.learning.day_cube import DayCube, day_cubes, packed, unpacked
from lotus.learning.lanes import Both
from lotus.learning.night import learn_from
from lotus.learning.packed_rows import joined_rows, packed_rows
from lotus.learning.payoff_scores import score
from lotus.learning.rows import DetectorRows, rows_by_detector
from lotus.learning.search import draw_maxima, evidence_of
from lotus.learning.signs import day_signs
from lotus.learning.slots import SlotState
from lotus.manifest import LearningDefaults, Manifest
from lotus.priors.types import Literal, Rule
from lotus.priors.vocabulary import BIN_COLUMNS, N_BINS, rule_mask
from lotus.simulation.learning_world import with_strata
from lotus.timebase import BLOCK_MS, day_start_ms, next_day
from lotus_assets.atoms_compaction import DAILY, TABLES, WEEKLY, summed
from lotus_store.lake import Lake
from lotus_store.learner_state import WINDOWS, LearnerState

Table = dict[str, NDArray[np.generic]]
LESSON = Rule.of(Literal(4, 3, 4))
ASSETS, WINDOW_DAYS = 12, 90
HISTORIES, ROUNDS = (100, 1000, 3000), 9
LIMITS = {
    "night_quiet_wall_s": 5.0,
    "night_look_wall_s": 5.0,
    "search_365_s": 2.0,
    "night_promoting_s": 30.0,
    "history_growth": 1.1,
}


@dataclass(frozen=True, slots=True)
class Size:
    """How many detectors, and windows of each a day."""

    detectors: int
    windows: int
    days: int = WINDOW_DAYS

    def names(self) -> list[str]:
        """Return the detectors."""
        return [f"d{k}" for k in range(self.detectors)]

    def learning_days(self) -> list[str]:
        """Return the days of the search window, oldest first."""
        return [next_day("2020-01-01", i) for i in range(self.days)]


def day_of_scores(day: str, detectors: Sequence[str], windows: int, seed: int, uplift: float = 0.0) -> Table:
    """Return PAYOFF_SCORES of one day; bins persist for about ten windows, `uplift` bps are paid inside LESSON.

    Its knots and levels are those of a day like it.
    """
    rng = np.random.default_rng([seed, windows])
    parts = [_piece(rng, day, name, windows, uplift) for name in detectors]
    today = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    return dict(with_strata({"before": today, day: today})[day])


def _piece(rng: np.random.Generator, day: str, name: str, n: int, uplift: float) -> Table:
    steps = -(-n // ASSETS)
    held = np.maximum.accumulate(np.where(rng.random((n, 12)) < 0.1, np.arange(n)[:, None], 0), axis=0)
    fresh = np.stack([rng.integers(0, b, n) for b in N_BINS], axis=1)
    bins = np.take_along_axis(fresh, held, axis=0).astype(np.uint8)
    u0 = 2.0 * rng.normal(size=n) - 2.5
    p = np.clip(1.0 / (1.0 + np.exp(-u0)), 0.02, 0.98)
    published = rng.random(n) < p
    paper = 12.0 * rng.standard_t(4, n) + uplift * rule_mask(LESSON, bins)
    paid = np.where(published, paper - rng.exponential(1.0, n), np.nan)
    end = day_start_ms(day) + 4 * BLOCK_MS * (np.arange(n) % steps) // steps
    table: Table = {
        "event_id": np.array([f"{i:032d}" for i in range(n)], dtype=object),
        "detector_id": np.full(n, name, dtype=object),
        "spec_version": np.ones(n, dtype=np.int32),
        "asset": np.array([f"A{k:02d}" for k in range(ASSETS)], dtype=object)[np.arange(n) // steps],
        "horizon_s": np.full(n, 30, dtype=np.int32),
        "window_end_ms": end,
        "day": np.full(n, day, dtype=object),
        "block": (end % (4 * BLOCK_MS) // BLOCK_MS).astype(np.uint8),
        "p": p,
        "u0": np.log(p / (1.0 - p)),
        "published": published,
        "payoff_p": paper,
        "payoff_y": paid,
        "hit": (paper > 0.0).astype(np.float64),
        "fill_source": np.where(published, "tape_sim", "").astype(object),
        "h": p * (1.0 - p),
        "f": score(p, published, paper, paid),
    }
    return table | {column: bins[:, k] for k, column in enumerate(BIN_COLUMNS)}


class Past:
    """A detector's past: the newest day from windows, kept with their sums; the days before from the store."""

    def __init__(self, state: LearnerState, name: str, days: Sequence[str], newest: Callable[[], DetectorRows]) -> None:
        """Remember where things lie."""
        self.state, self.name, self.days, self.newest = state, name, days, newest
        self.windows_read = 0

    def cubes(self, believed: tuple[Rule, ...], space: Axes, paper: bool = True) -> list[DayCube]:
        """Read the days before, sum the newest."""
        held = [self.state.read(day, self.name, "k") for day in self.days[:-1]]
        cubes = [unpacked(*found) for found in held if found is not None]
        rows = self.newest()
        (last,) = day_cubes(rows if paper else rows.without_paper(), believed, space)
        self.state.write(self.days[-1], self.name, "k", *packed_rows(rows), WINDOWS)
        self.state.write(self.days[-1], self.name, "k", *packed(last))
        return [*cubes, replace(last, day=self.days[-1])]

    def rows(self) -> DetectorRows:
        """Read the windows kept of all days."""
        self.windows_read += 1
        found = [self.state.read(day, self.name, "k", WINDOWS) for day in self.days]
        return joined_rows([part for part in found if part is not None], tuple(self.days))


def cpu(call: Callable[[], object]) -> float:
    """Return the CPU seconds of one call."""
    began = time.process_time()
    call()
    return time.process_time() - began


def _filled(state: LearnerState, size: Size, names: Sequence[str], days: Sequence[str]) -> None:
    space = axes()
    cubes = []
    for seed in range(len(days)):  # a day that comes again would look like payoffs that know who published
        rows = rows_by_detector({days[0]: day_of_scores(days[0], ["x"], size.windows, seed)}, 1)["x"]
        cubes += day_cubes(rows, (), space)
    for k, name in enumerate(names):
        for i, day in enumerate(days):
            cube = replace(cubes[(i + 7 * k) % len(days)], detector_id=name, day=day)
            state.write(day, name, "k", *packed(cube))


def night_of(folder: Path, size: Size, history: int, look: bool) -> Callable[[], None]:
    """Return the night of the newest of `history` learning days, over a filled store."""
    manifest = Manifest(learning=LearningDefaults(looks="nightly" if look else "final", min_evidence_nats=1e3))
    names, days = size.names(), size.learning_days()
    state = LearnerState(folder, "main")
    scores = day_of_scores(days[-1], names, size.windows, 99)
    year = (history - 1) // 365
    one = SlotState(year=year)
    slots, pooled = Both(one, one), SlotState(spent=99, year=year)

    def night() -> None:
        tables = rows_by_detector({days[-1]: scores}, 1)
        past = {name: Past(state, name, days, lambda name=name: tables[name]) for name in names}  # type: ignore[misc]
        result = learn_from(past, tuple(days), manifest, night=history, last=False, slots=slots, pooled_slots=pooled)
        assert not any(audit.reason or audit.paper_note for audit in result.audits), "the windows are not an honest log"
        assert not any(source.windows_read for source in past.values()), "a night without promotion read windows"

    return night


def nights(size: Size, look: bool) -> tuple[float, float]:
    """Return CPU and wall seconds of one night: the median of several."""
    with tempfile.TemporaryDirectory() as folder:
        _filled(LearnerState(Path(folder), "main"), size, size.names(), size.learning_days()[:-1])
        night = night_of(Path(folder), size, size.days, look)
        night()
        pairs = [(cpu(night), time.perf_counter() - began) for began in _starts(ROUNDS)]
    middle = np.median(np.array(pairs), axis=0)
    return float(middle[0]), float(middle[1])


def _starts(times: int) -> Iterator[float]:
    for _ in range(times):
        yield time.perf_counter()


def history_nights(size: Size) -> dict[str, float]:
    """Return the CPU seconds of the quiet night after 100, 1,000 and 3,000 days: medians of rounds over all three.

    The three stores share the files of the search window; rounds visit them in turn, each beginning with another, so
    that a machine that becomes slower becomes so for all. `history_growth`: the largest median by the smallest;
    `history_*_calls`: function calls of one night, which no other process disturbs.
    """
    days = size.learning_days()
    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder) / "first"
        _filled(LearnerState(first, "main"), size, size.names(), days[:-1])
        looks = {}
        for history in HISTORIES:
            place = Path(folder) / str(history)
            older = [next_day(days[0], -i) for i in range(1, history - size.days + 1)]
            for name in [*older, *days[:-1]]:
                _linked(first, max(name, days[0]), place, name)
            looks[history] = night_of(place, size, history, look=False)
        looks[HISTORIES[0]]()  # warms up
        calls = {f"history_{history}_calls": float(_calls(night)) for history, night in looks.items()}
        seconds: dict[int, list[float]] = {history: [] for history in HISTORIES}
        for turn in range(ROUNDS):
            for k in range(len(HISTORIES)):
                history = HISTORIES[(k + turn) % len(HISTORIES)]
                seconds[history].append(cpu(looks[history]))
    medians = {f"history_{n}_s": float(np.median(x)) for n, x in seconds.items()}
    return medians | calls | {"history_growth": max(medians.values()) / min(medians.values())}


def _calls(night: Callable[[], None]) -> int:
    profile = cProfile.Profile()
    profile.runcall(night)
    return sum(entry.callcount for entry in profile.getstats())


def _linked(source: Path, day: str, target: Path, name: str) -> None:
    place = target / "learner_state" / "branch=main" / f"day={name}"
    place.mkdir(parents=True)
    for path in (source / "learner_state" / "branch=main" / f"day={day}").iterdir():
        (place / path.name).hardlink_to(path)


def promoting(size: Size) -> float:
    """Return the CPU seconds of a night in which one detector promotes a lesson from all its windows, kept or new."""
    manifest = Manifest(learning=LearningDefaults(looks="final", pooled_alpha=0.0))
    days = size.learning_days()
    with tempfile.TemporaryDirectory() as folder:
        state = LearnerState(Path(folder), "main")
        for i, day in enumerate(days):
            rows = rows_by_detector({day: day_of_scores(day, ["d0"], size.windows, i, 3.0)}, 1)["d0"]
            (cube,) = day_cubes(rows, (), axes())
            state.write(day, "d0", "k", *packed_rows(rows), WINDOWS)
            state.write(day, "d0", "k", *packed(cube))
        past = Past(state, "d0", days, lambda: rows)
        found: list[int] = []
        seconds = cpu(lambda: found.append(len(learn_from({"d0": past}, tuple(days), manifest, night=90).lessons)))
    assert found == [1], found
    return seconds


def search(days: int) -> float:
    """Return the CPU seconds of evidence and draws over `days` x 4 blocks."""
    space, rng = axes(), np.random.default_rng(1)
    one = rng.normal(size=(4, len(space.subsets), 125))
    cube = space.lean(np.concatenate([one * rng.normal() for _ in range(days)]))
    lane_day, g = np.repeat(np.arange(days), 4), np.ones(days)
    signs, every = day_signs(7, [str(i) for i in range(days)], 400), np.ones(space.n_rules, dtype=np.bool_)

    def once() -> object:
        return draw_maxima(evidence_of(cube, lane_day, g, space, np.ones(space.n_rules)), every, signs, space)

    once()
    return min(cpu(once) for _ in range(3))


def atoms_year(size: Size) -> float:
    """Return the CPU seconds of a year of one detector's day sums and atoms, from the windows of six days."""
    space = axes()
    tables = [rows_by_detector({"2020-01-01": _one(size, seed)}, 1)["d0"] for seed in range(6)]

    def day(rows: DetectorRows) -> None:
        packed(day_cubes(rows, (), space)[0])
        _atoms(rows, "2020-01-01")

    def all_days() -> None:
        for rows in tables:
            day(rows)

    day(tables[0])
    return 365.0 * cpu(all_days) / len(tables)


def disk(size: Size) -> dict[str, float]:
    """Return the MB of one detector's atoms: a day by blocks, a day, a week; three years of blocks, and compacted."""
    with tempfile.TemporaryDirectory() as folder:
        lake, days = Lake(folder), [next_day("2020-01-06", i) for i in range(7)]
        parts = [_atoms(rows_by_detector({day: _one(size, i)}, 1)["d0"], day) for i, day in enumerate(days)]
        lake.write(LESSON_ATOMS, "main", days[0], parts[0])
        lake.write(DAILY, "main", days[0], summed(parts[:1], f"{days[0]}={'0' * 32}"))
        lake.write(WEEKLY, "main", days[0], summed(parts, " ".join(f"{day}={'0' * 32}" for day in days)))
        blocks, one, week = (lake.stored_bytes([name], "main") / 2**20 for name in TABLES)
        rows = rows_by_detector({days[0]: _one(size, 0)}, 1)["d0"]
        LearnerState(Path(folder), "main").write(days[0], "d0", "k", *packed_rows(rows), WINDOWS)
        windows = sum(path.stat().st_size for path in Path(folder).rglob("*.windows")) / 2**20
    compacted = WINDOW_DAYS * blocks + (365 - WINDOW_DAYS) * one + 2 * 365 / 7 * week
    found = {"day_by_blocks": blocks, "day": one, "week": week, "three_years": 3 * 365 * blocks, "compacted": compacted}
    found["windows_day"] = windows
    return {f"disk_{name}_mb": x for name, x in found.items()}


def _one(size: Size, seed: int) -> Table:
    return day_of_scores("2020-01-01", ["d0"], size.windows, seed)


def _atoms(rows: DetectorRows, day: str) -> Table:
    values = {"r": rows.f, "h": rows.h, "rest_r": rows.f, "rest_h": rows.h, "n": rows.published.astype(np.float64)}
    return atoms_of("d0", day, rows.bins, rows.block.astype(np.uint8), values)


def reference(size: Size) -> float:
    """Return the CPU seconds of one day's sums over all triples by `numpy.bincount`."""
    rows = rows_by_detector({"2020-01-01": day_of_scores("2020-01-01", ["d0"], size.windows, 5)}, 1)["d0"]

    def day() -> None:
        for a, b, c in axes().subsets[:220]:
            cell = 25 * rows.bins[:, a].astype(np.int64) + 5 * rows.bins[:, b] + rows.bins[:, c]
            np.bincount(rows.block * 125 + cell, weights=rows.f, minlength=500)

    return cpu(day)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--detectors", type=int, default=10)
    parser.add_argument("--windows", type=int, default=200_000)
    parser.add_argument("--days", type=int, default=WINDOW_DAYS, help="days in the search window")
    parser.add_argument("--row", action="append", help="only these rows")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    size = Size(options.detectors, options.windows, options.days)
    rows: dict[str, Callable[[], dict[str, float]]] = {
        "night_quiet": lambda: _timed("night_quiet", nights(size, look=False)),
        "night_look": lambda: _timed("night_look", nights(size, look=True)),
        "history": lambda: history_nights(size),
        "night_promoting": lambda: {"night_promoting_s": (promoting(Size(1, 2000, size.days)), promoting(size))[1]},
        "search_365": lambda: {"search_365_s": search(365)},
        "atoms_year": lambda: {"atoms_year_s": atoms_year(size)},
        "disk": lambda: disk(size),
        "reference": lambda: {"reference_bincount_day_s": reference(size)},
    }
    found: dict[str, float] = {}
    peak: dict[str, int] = {}
    for name, call in rows.items():
        if not options.row or name in options.row:
            found |= {key: round(value, 3) for key, value in call().items()}
            peak[name] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0)
    missed = [name for name, limit in LIMITS.items() if found.get(name, 0.0) > limit]
    report = {"size": vars(options), "found": found, "limits": LIMITS, "missed": missed, "peak_mb_so_far": peak}
    print(json.dumps(report, indent=1) if options.json else "\n".join(f"{k}: {v}" for k, v in report.items()))
    return 1 if missed else 0


def _timed(name: str, seconds: tuple[float, float]) -> dict[str, float]:
    return {f"{name}_s": seconds[0], f"{name}_wall_s": seconds[1]}


if __name__ == "__main__":
    raise SystemExit(main())
