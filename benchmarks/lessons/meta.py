"""Compositions on simulated boards: false meta braids, and how often a true conjunction or sibling pair is found.

`python -m benchmarks.lessons.meta --seeds 100 --days 20 --json`. Two micro braids with the rules A and B stand on a
board; a candidate starts on day 0 and is judged after `days` by one look at alpha over its own draws (the nightly slots
spend less per night, more over a year). Worlds: `nothing` (both lessons died), `first` (only A pays, everywhere in A),
`both_add` (A and B pay independently), `conjunction` (only A and B together pay), `siblings` (B pays where A is not).
"""

import argparse
import json
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lotus.learning.forward import steps_of
from lotus.learning.lanes import Both
from lotus.learning.members import member_of
from lotus.learning.rows import DetectorRows
from lotus.learning.search import one_look_critical
from lotus.learning.strata import UNKNOWN
from lotus.manifest import LearningDefaults
from lotus.priors.types import Literal, Op, Rule
from lotus.priors.vocabulary import DEFAULT
from lotus.timebase import next_day
from lotus.weave.composition import Parts, contrast_blocks

Bools = NDArray[np.bool_]
World = Callable[[Bools, Bools], NDArray[np.float64]]
A, B = Rule.of(Literal(7, 0, 1)), Rule.of(Literal(3, 0, 1))
START, WINDOWS, SD_BPS = "2025-01-06", 2400, 12.0
WORLDS: dict[str, tuple[Op, World]] = {
    "nothing": ("INTERSECT", lambda a, b: np.zeros(len(a))),
    "first": ("INTERSECT", lambda a, b: a.astype(np.float64)),
    "both_add": ("INTERSECT", lambda a, b: a.astype(np.float64) + b.astype(np.float64)),
    "conjunction": ("INTERSECT", lambda a, b: (a & b).astype(np.float64)),
    "nothing_union": ("UNION", lambda a, b: np.zeros(len(a))),
    "siblings": ("UNION", lambda a, b: (a | b).astype(np.float64)),
}
FALSE = ("nothing", "nothing_union")


def day_rows(day: str, seed: int, world: World, effect_bps: float, windows: int = WINDOWS) -> DetectorRows:
    """Return the rows of one day: a day effect, t4 noise that overlaps over six windows, a logged propensity."""
    rng = np.random.default_rng([seed, int(day.replace("-", ""))])
    bins = rng.integers(0, 4, (windows, 12)).astype(np.uint8)
    bins[:, 7], bins[:, 3] = (np.repeat(rng.integers(0, 4, windows // 30), 30) for _ in range(2))
    u0 = rng.normal(-1.4, 1.2, windows)
    p = 1.0 / (1.0 + np.exp(-u0))
    basis, end_ms = UNKNOWN.basis(u0), 20_000 * np.arange(1, windows + 1, dtype=np.int64)
    published = rng.random(windows) < p
    steps = rng.standard_t(4, windows + 5) / np.sqrt(2.0)
    noise = SD_BPS * np.convolve(steps, np.ones(6), "valid") / np.sqrt(6.0)
    paid = noise + rng.normal(0.0, 1.0) + effect_bps * world(bins[:, 7] <= 1, bins[:, 3] <= 1)
    empty = np.full(windows, "", dtype=object)
    block = (np.arange(windows) * 4 // windows).astype(np.int64)
    return DetectorRows(
        vocabulary=DEFAULT,
        detector_id="d",
        spec_version=1,
        horizon_s=30,
        days=(day,),
        lane_day=np.zeros(4, dtype=np.int64),
        lane=block,
        block=block,
        day=np.zeros(windows, dtype=np.int64),
        bins=bins,
        asset=np.zeros(windows, dtype=np.int64),
        u0=u0,
        left=basis.left,
        share=basis.share,
        level=np.zeros(windows),
        weight=np.ones(windows),
        step=steps_of(end_ms, p * (1.0 - p), 30),
        end_ms=end_ms,
        p=p,
        h=p * (1.0 - p),
        f=p * (1.0 - p) * paid,
        published=published,
        payoff_p=paid,
        payoff_y=np.where(published, paid - rng.exponential(1.0, windows) + 1.0, np.nan),
        hit=(paid > 0.0).astype(np.float64),
        source=np.ones(windows, dtype=np.int64),
        event_id=empty,
    )


def promoted(name: str, seed: int, days: int, effect_bps: float, settings: LearningDefaults) -> bool:
    """Return whether the candidate of one world is promoted by one look."""
    op, world = WORLDS[name]
    parts = Parts((A, B), (0.4, 0.4), (0.5, 0.5))
    day, names, gains, rest = START, list[str](), list[float](), list[float]()
    for _ in range(days):
        day = next_day(day)
        blocks = contrast_blocks(op, parts, [], day_rows(day, seed, world, effect_bps))
        names += list(blocks.day)
        gains += blocks.gain.tolist()
        rest += blocks.rest.gain.tolist() if blocks.rest else []
    member = member_of(name, names, Both(np.array(gains), np.array(rest)), 1, settings)
    lanes = zip(member.m, member.draws, strict=True)
    return all(m > one_look_critical(draws, settings.alpha) for m, draws in lanes)


def main() -> None:
    """Print the share of promoted candidates by world."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--days", type=int, default=20)
    parser.add_argument("--effect-bps", type=float, default=6.0, help="half a deviation of the payoff")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    settings, began = LearningDefaults(), time.process_time()
    seeds = range(given.first_seed, given.first_seed + given.seeds)
    shares = {
        name: float(np.mean([promoted(name, s, given.days, given.effect_bps, settings) for s in seeds]))
        for name in WORLDS
    }
    told = {
        "seeds": given.seeds,
        "days": given.days,
        "effect_bps": given.effect_bps,
        "alpha": settings.alpha,
        "promoted": shares,
        "false": {name: shares[name] for name in FALSE},
        "cpu_s": round(time.process_time() - began, 1),
    }
    print(json.dumps(told) if given.json else json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
