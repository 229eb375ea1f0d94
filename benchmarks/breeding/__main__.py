"""`python -m benchmarks.breeding --kind plant --seeds 12 --trials 1000`: a line per world and arm, then a summary."""

import argparse
from dataclasses import astuple, fields

from benchmarks.breeding.world_run import ARMS, WorldRun, world_run
from lotus.simulation.breeding_world import KINDS, ORACLES, BreedingWorld

ENOUGH = 0.6  # of the oracle's edge


def main() -> None:
    """Run worlds seed by seed; shapes take turns."""
    reader = argparse.ArgumentParser()
    reader.add_argument("--kind", choices=KINDS, default="plant")
    reader.add_argument("--seeds", type=int, default=12)
    reader.add_argument("--first", type=int, default=1)
    reader.add_argument("--trials", type=int, default=1_000)
    reader.add_argument("--days", type=int, default=40)
    reader.add_argument("--snr", type=float, default=2.0)
    reader.add_argument("--arms", nargs="+", choices=list(ARMS), default=list(ARMS))
    asked = reader.parse_args()
    print(",".join(f.name for f in fields(WorldRun)))
    runs = []
    for seed in range(asked.first, asked.first + asked.seeds):
        shape = list(ORACLES)[seed % len(ORACLES)]
        world = BreedingWorld(
            asked.kind, seed, shape, seed // len(ORACLES), asked.days, assets=2, windows=360, snr=asked.snr
        )
        for arm in asked.arms:
            runs.append(world_run(world, arm, asked.trials))
            print(",".join(f"{x:.3g}" if isinstance(x, float) else str(x) for x in astuple(runs[-1])), flush=True)
    for arm in asked.arms:
        for shape in sorted({r.shape for r in runs}):
            print(_summary([r for r in runs if (r.arm, r.shape) == (arm, shape)], arm, shape or asked.kind))


def _summary(runs: list[WorldRun], arm: str, shape: str) -> str:
    good = sum(r.best_share >= ENOUGH for r in runs)
    entered = sum(r.entrants > 0 for r in runs)
    kept = sum(r.entrant_share >= ENOUGH for r in runs)
    oracle = sum(r.oracle_nats >= r.bar for r in runs)
    return (
        f"# {arm}, {shape}: of {len(runs)} worlds the best find keeps >= {ENOUGH:.0%} of the oracle's held-out edge "
        f"in {good}; something enters in {entered}, with that edge in {kept}; the oracle is above the bar in {oracle}"
    )


if __name__ == "__main__":
    main()
