"""One world searched by one arm: what the best find and the entrants keep of the oracle's edge on days never seen.

The edge is the sum of s F over the root of the sum of s^2 on the held-out days, at the oracle's horizon: size does not
count, direction does, and a candidate of another horizon has none, since nothing was planted there. `typed` is the
whole breeder, `random` draws as many typed trees; `gplearn` and `pool` search by the rules of others (`peer_rules`).
All are charged and judged alike.
"""

import time
from dataclasses import dataclass
from math import log
from typing import Final

import numpy as np

from benchmarks.breeding.peer_rules import by_gplearn, by_pool
from lotus.coprocessor.bar import finalists
from lotus.coprocessor.breeding import TRIALS, Breeder, BreedPlan
from lotus.coprocessor.genome import Genome
from lotus.coprocessor.panel import Panel
from lotus.coprocessor.scoring import run, scores_of
from lotus.coprocessor.signs import evidence
from lotus.simulation.breeding_world import ORACLES, BreedingWorld, panel_of_days, world_days

ARMS: Final = ("typed", "random", "gplearn", "pool")
ENOUGH: Final[float] = 0.6  # of the oracle's edge
LOOKED_AT: Final[int] = 4


@dataclass(frozen=True, slots=True)
class BreedingCase:
    """Which worlds and which arm; shapes and oracles take turns by seed. Half of the days is held out."""

    arm: str = "typed"
    kind: str = "plant"
    trials: int = TRIALS
    days: int = 40
    windows: int = 360
    snr: float = 2.0


def world_of(case: BreedingCase, seed: int) -> BreedingWorld:
    """Return the world of a seed."""
    shape = list(ORACLES)[seed % len(ORACLES)]
    number = seed // len(ORACLES)
    return BreedingWorld(case.kind, seed, shape, number, case.days, assets=2, windows=case.windows, snr=case.snr)


def measure(case: BreedingCase, seed: int) -> dict[str, float | int | str]:
    """Search the first half of a world's days and look at the second.

    Where nothing is planted shares are 0; `own` is what the arm's own rule would promote without our bar.
    """
    world = world_of(case, seed)
    days = world_days(world)
    half = len(days) // 2
    panel, held = panel_of_days(world, days[:half]), panel_of_days(world, days[half:])
    charged: set[str] = set()
    plan = BreedPlan(seed, case.trials, operators=("grow",) if case.arm == "random" else BreedPlan(0).operators,
                     survey=case.arm == "typed")  # fmt: skip
    breeder = Breeder(panel, plan, lambda charges: charged.update(c.canonical for c in charges))
    began = time.process_time()
    promoted = _searched(case.arm, breeder)
    found = finalists(breeder, lambda: len(charged), LOOKED_AT)
    cpu_s = time.process_time() - began
    planted = case.kind == "plant"
    oracle = scores_of([world.oracle], panel)[0]
    shares = [_share(f.genome, f.score.side, world.oracle, held) if planted else 0.0 for f in found]
    entered = [share for share, f in zip(shares, found, strict=True) if f.verdict.state == "screened"]
    first = shares[0] if shares else 0.0
    better = max(entered, default=0.0)
    return {
        "shape": world.shape if planted else "", "n": len(charged),
        "oracle_nats": evidence(oracle.daily) if planted else 0.0,
        "bar": log(max(1, len(charged))), "first_share": first, "first": int(first >= ENOUGH), "entrants": len(entered),
        "enters": int(bool(entered)), "entrant_share": better, "found": int(better >= ENOUGH),
        "own": len(entered) if promoted is None else promoted, "cpu_s": round(cpu_s, 2),
    }  # fmt: skip


def _searched(arm: str, breeder: Breeder) -> int | None:
    """Search by an arm's rule; return how many that rule promotes, None where it is our bar."""
    if arm in ("typed", "random"):
        breeder.breed(lambda: 0.0)
        return None
    return by_gplearn(breeder) if arm == "gplearn" else by_pool(breeder)


def _share(genome: Genome, side: int, oracle: Genome, held: Panel) -> float:
    """Return the held-out edge over the oracle's, 0 for another horizon."""
    if genome.horizon_s != oracle.horizon_s:
        return 0.0
    return edge(genome, side, held) / edge(oracle, 1, held)


def edge(genome: Genome, side: int, panel: Panel) -> float:
    """Return the sum of s F over the root of the sum of s^2, bps."""
    h = panel.horizons_s.index(genome.horizon_s)
    gain = square = 0.0

    def add(first: int, day: int, values: np.ndarray) -> None:
        nonlocal gain, square
        s = side * values[:, 0] * (panel.places[day] >= 0)
        gain += float(np.dot(s, panel.left[day][:, h]))
        square += float(np.dot(s, s))

    run([genome.node], panel, add)
    return gain / square**0.5 if square > 0.0 else 0.0
