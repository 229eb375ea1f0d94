"""One world bred on: what the best find and the entrants keep of the oracle's edge on days that the search never saw.

The edge is the sum of s F over the root of the sum of s^2 on the held-out days: size does not count, direction does.
`typed` is the whole breeder; `random` draws as many typed trees and judges them alike.
"""

import time
from dataclasses import dataclass
from typing import Final

import numpy as np

from lotus.coprocessor.bar import Finalist, finalists
from lotus.coprocessor.breeding import Breeder, BreedPlan
from lotus.coprocessor.genome import Genome
from lotus.coprocessor.panel import Panel
from lotus.coprocessor.scoring import Floats, Score, run, scores_of
from lotus.coprocessor.signs import evidence
from lotus.coprocessor.variation import OPERATORS
from lotus.simulation.breeding_world import BreedingWorld, panel_of_days, world_days

ARMS: Final = {"typed": OPERATORS, "random": ("grow",)}


@dataclass(frozen=True, slots=True)
class WorldRun:
    """What one arm made of one world; shares are NaN where nothing is planted."""

    kind: str
    shape: str
    seed: int
    arm: str
    trials: int
    cpu_s: float
    oracle_t: float
    oracle_nats: float
    best_t: float
    best_share: float  # of the oracle's held-out edge
    bar: float
    best_nats: float
    entrants: int
    entrant_share: float  # of the better entrant; 0 without one


def world_run(world: BreedingWorld, arm: str, trials: int, looked_at: int = 4) -> WorldRun:
    """Breed on the first half of a world's days and look at the second."""
    days = world_days(world)
    half = len(days) // 2
    panel, held = panel_of_days(world, days[:half]), panel_of_days(world, days[half:])
    charged: set[str] = set()
    plan = BreedPlan(world.seed, trials, operators=ARMS[arm])
    breeder = Breeder(panel, plan, lambda charges: charged.update(c.canonical for c in charges))
    began = time.process_time()
    breeder.breed(lambda: 0.0)
    found = finalists(breeder, lambda: len(charged), looked_at)
    cpu_s = time.process_time() - began
    planted = world.kind == "plant"
    oracle = scores_of([world.oracle], panel)[0] if planted else Score((), 1)
    oracle_edge = _edge(world.oracle, 1, held) if planted else np.nan
    shares = [_edge(f.genome, f.score.side, held) / oracle_edge for f in found]
    entrants = [k for k, f in enumerate(found) if f.verdict.state == "screened"]
    best = max(range(len(found)), key=lambda k: found[k].score.t, default=-1)
    return WorldRun(
        world.kind, world.shape if planted else "", world.seed, arm, breeder.run.trials, round(cpu_s, 1),
        oracle.t, evidence(oracle.daily), _t(found, best),
        shares[best] if found else 0.0, float(np.log(max(1, len(charged)))),
        evidence(found[best].score.daily) if found else 0.0,
        len(entrants), max((shares[k] for k in entrants), default=0.0),
    )  # fmt: skip


def _t(found: list[Finalist], k: int) -> float:
    return found[k].score.t if found else 0.0


def _edge(genome: Genome, side: int, panel: Panel) -> float:
    """Return the sum of s F over the root of the sum of s^2, bps."""
    h = panel.horizons_s.index(genome.horizon_s)
    gain = square = 0.0

    def add(first: int, day: int, values: Floats) -> None:
        nonlocal gain, square
        s = side * values[:, 0] * (panel.places[day] >= 0)
        gain += float(np.dot(s, panel.left[day][:, h]))
        square += float(np.dot(s, s))

    run([genome.node], panel, add)
    return gain / square**0.5 if square > 0.0 else 0.0
