"""Do floors by value of information find more lessons than one floor for all, at the same cost?

`python -m benchmarks.governance.explorers --seeds 1-200`. Ten detectors of different size, scatter and loss; three
hold a lesson of a quarter of a deviation on 12 % of their windows. Every night the product's own plan says the
floors; beside it one floor for all that costs the same that night. A lesson is found when the score of its rule
passes the bar of two literals, days weighed with the learner's half-life of 20; both arms see the same noise.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.lessons.claims import Claim, total
from benchmarks.lessons.command import command
from benchmarks.lessons.evidence import FOLDER, ROOT, Study, best_rows
from benchmarks.lessons.worlds import Figures
from lotus.governance.explorer import COVERAGE, EFFECT, GRID, TILT, ExploredDetector, bar_of, explore
from lotus.simulation.learning_world import stream

NIGHTS, PLAN_DAYS, HALF_LIFE = 80, 20, 20.0
CRITICAL, PRICE = 3.2, float(np.log(5_594.0))


@dataclass(frozen=True, slots=True)
class ExploredWorld:
    """`gross`: what the detectors earn before costs in 20 days, in units of what the floor .10 costs all of them."""

    detectors: int = 10
    holders: int = 3
    gross: float = 8.0
    nights: int = NIGHTS


def measure(world: ExploredWorld, seed: int) -> Figures:
    """Return lessons found by the last night and the cost, with floors by value of information and with one floor."""
    rng = stream(seed, "explorer")
    many = [_detector(rng, k) for k in range(world.detectors)]
    holders = rng.choice(world.detectors, world.holders, replace=False)
    noise = rng.normal(size=(world.holders, world.nights))
    bar = bar_of(CRITICAL, PRICE, HALF_LIFE)
    gross = world.gross * sum(float(one.cost[-1]) for one in many)
    before = [0.02] * world.detectors
    found = {"voi": set[int](), "uniform": set[int]()}
    h = {arm: np.zeros((world.holders, world.nights)) for arm in found}
    spent, worth = dict.fromkeys(found, 0.0), dict.fromkeys(found, 0.0)
    for night in range(world.nights):
        plan = explore(
            [replace(one, before=e) for one, e in zip(many, before, strict=True)], night, gross, 0.5, bar, 0.0
        )
        before = list(plan.epsilon)
        cost = sum(plan.cost_bps)
        level = _uniform(many, cost)
        spent["voi"] += cost / PLAN_DAYS
        spent["uniform"] += sum(float(np.interp(level, GRID, one.cost)) for one in many) / PLAN_DAYS
        for k, d in enumerate(holders.tolist()):
            one = many[d]
            h["voi"][k, night] = COVERAGE * one.h[GRID.index(plan.epsilon[d])] / PLAN_DAYS
            h["uniform"][k, night] = COVERAGE * float(np.interp(level, GRID, one.h)) / PLAN_DAYS
            for arm, seen in h.items():
                faded = 0.5 ** (np.arange(night, -1, -1) / HALF_LIFE)
                weight, drawn = seen[k, : night + 1], noise[k, : night + 1]
                sums = EFFECT * one.sd_bps * faded @ weight + one.s_bps * (faded * np.sqrt(weight)) @ drawn
                if sums / (one.s_bps * np.sqrt(faded**2 @ weight)) >= bar.t:
                    found[arm].add(k)
                if k in found[arm]:
                    worth[arm] += EFFECT * one.sd_bps * TILT * COVERAGE * one.h[0] / PLAN_DAYS
    return {
        "held": world.holders, "voi": len(found["voi"]), "uniform": len(found["uniform"]),
        "voi_worth": round(worth["voi"], 1), "uniform_worth": round(worth["uniform"], 1),
        "voi_cost": round(spent["voi"], 2), "uniform_cost": round(spent["uniform"], 2),
    }  # fmt: skip


def _detector(rng: np.random.Generator, number: int) -> ExploredDetector:
    windows = int(np.exp(rng.normal(np.log(1_500.0), 0.7)))  # a day
    free = rng.beta(0.4, 5.0, 4_000)
    sd, loss = float(np.exp(rng.normal(np.log(10.0), 0.3))), float(np.exp(rng.normal(np.log(1.0), 1.0)))
    at = [np.clip(free, e, 1.0 - e) for e in GRID]
    size = windows * PLAN_DAYS / len(free)
    h = np.array([size * float((p * (1.0 - p)).sum()) for p in at])
    cost = np.array([size * loss * float((p - at[0]).sum()) for p in at])
    return ExploredDetector(f"d{number}", h, cost, sd, 1.5 * sd, 0.02, windows * PLAN_DAYS, loss)


def _uniform(many: list[ExploredDetector], cost: float) -> float:
    """Return the one floor for all that costs as much."""
    curve = np.sum([one.cost for one in many], axis=0)
    return float(np.interp(cost, curve, GRID))


SOURCES = (Path(__file__), ROOT / "lotus" / "governance" / "explorer.py")
STUDIES = {
    "explorer": Study(
        "explorer", ExploredWorld(), measure, SOURCES, ExploredWorld(nights=14), 1.0
    )
}  # fmt: skip
CLAIMS = [
    Claim("explorer", "lessons found by night 80, floors by value of information", total("voi", "held")),
    Claim("explorer", "the same with one floor for all at equal cost", total("uniform", "held")),
]


def lines(folder: Path = FOLDER) -> list[str]:
    """Return how many more lessons the floors by value of information find, with an interval over worlds."""
    rows = best_rows(STUDIES["explorer"], folder)
    if len(rows) < 2:
        return []
    rng = np.random.default_rng(7)
    picks = rng.integers(len(rows), size=(2_000, len(rows)))
    out = []
    for what, end in (("lessons", ""), ("bps by what was found", "_worth")):
        voi, uniform = (np.array([float(row[f"{arm}{end}"]) for row in rows]) for arm in ("voi", "uniform"))
        ratios = voi[picks].sum(axis=1) / np.maximum(1.0, uniform[picks].sum(axis=1))
        low, high = np.quantile(ratios, [0.025, 0.975])
        ratio = voi.sum() / max(1.0, uniform.sum())
        span = f"[{low - 1:+.1%}, {high - 1:+.1%}]"
        out.append(f"{ratio - 1:+.1%} {what} at equal cost {span}, {len(rows)} worlds.")
    return [*out, ""]


if __name__ == "__main__":
    raise SystemExit(command(STUDIES, CLAIMS, __doc__ or ""))
