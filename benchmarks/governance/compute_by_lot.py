"""What the allocator of compute is worth on arms of known worth, and how near Shapley-lite is to the exact value.

`python -m benchmarks.governance.compute_by_lot --row compute-useless --seeds 1-100`: 30 arms over 64 Mondays, half of
them worthless, one of these ten times as dear; rewards of the drawn arms alone, with noise as large as the spread of
worth. Beside it stand equal probabilities at equal cost. `shapley-eight`: 8 experts, all 256 coalitions.
"""

from dataclasses import dataclass
from itertools import combinations
from math import factorial
from pathlib import Path

import numpy as np

from benchmarks.lessons.claims import Claim, total
from benchmarks.lessons.command import command
from benchmarks.lessons.evidence import ROOT, Study
from benchmarks.lessons.worlds import Figures
from lotus.governance.allocation_value import LoggedWeek, gain_on_uniform, uniform
from lotus.governance.allocator import ArmsSeen, allocate, believed
from lotus.governance.credit.shapley import mean_and_variance, orders_of, shapley_lite

LEARNED = 12  # Mondays that are not counted


@dataclass(frozen=True, slots=True)
class Arms:
    """Arms of exponential worth, half of them worthless; the last one is worthless and ten times as dear."""

    many: int = 30
    weeks: int = 64
    noise: float = 1.0
    quota: float = 0.5  # of what all but the dear one cost


@dataclass(frozen=True, slots=True)
class Game:
    """Experts whose worth together saturates, and who partly say the same."""

    players: int = 8
    games: int = 25


def allocated(world: Arms, seed: int) -> Figures:
    """Return the worth of the arms drawn after twelve Mondays, of the best set, and of equal probabilities."""
    rng = np.random.default_rng(seed)
    k, one = world.many, np.ones(1)
    worth, cost = np.where(rng.random(k) < 0.5, rng.exponential(1.0, k), 0.0), rng.uniform(0.5, 2.0, k)
    worth[-1], cost[-1] = 0.0, 10.0 * cost[:-1].mean()
    quota = world.quota * float(cost[:-1].sum())
    arms, rewards, weeks = list[int](), list[float](), list[LoggedWeek]()
    over = 0
    for week in range(world.weeks):
        seen = ArmsSeen(np.array(arms, np.int64), np.ones((len(arms), 1)), np.array(rewards, np.float64))
        draw = allocate(seen, one, cost, quota, (str(seed), str(week)))
        came = worth + rng.normal(0.0, world.noise, k)
        logged = np.where(draw.drawn, came, np.nan)
        weeks.append(LoggedWeek(draw.q, cost, believed(seen, one, k).mean, draw.drawn, logged))
        over += int(cost[draw.drawn].sum() > quota)
        arms += np.flatnonzero(draw.drawn).tolist()
        rewards += came[draw.drawn].tolist()
    late = weeks[LEARNED:]
    gain, truth = gain_on_uniform(late), sum(float(((w.q - uniform(w)) * worth).sum()) for w in late)
    got, even = (
        sum(float(x) for x in found)
        for found in ((worth[w.drawn].sum() for w in late), ((uniform(w) * worth).sum() for w in late))
    )
    oracle = len(late) * _best(worth, cost, quota)
    return {
        "worlds": 1, "weeks": len(late), "over": over, "dear": sum(int(w.drawn[-1]) for w in late),
        "worth": got / oracle, "uniform": even / oracle, "enough": int(got >= 0.85 * oracle),
        "even_half": int(even <= 0.5 * oracle),
        "covered": int(gain.low is not None and gain.high is not None and gain.low <= truth <= gain.high),
    }  # fmt: skip


def _best(worth: np.ndarray, cost: np.ndarray, quota: float) -> float:
    """Return the worth of the arms that fit in order of worth per cost, the truth being given."""
    best, room = 0.0, quota
    for arm in np.argsort(-worth / cost, kind="stable").tolist():
        if worth[arm] > 0.0 and cost[arm] <= room:
            best, room = best + float(worth[arm]), room - float(cost[arm])
    return best


def shared(world: Game, seed: int) -> Figures:
    """Return how many credits are within two standard errors of the exact value, and the worst sum of an order."""
    within = many = 0
    worst = 0.0
    n = world.players
    for game in range(world.games):
        rng = np.random.default_rng([seed, game])
        weight, pair = rng.normal(0.5, 1.0, n), rng.normal(0.0, 0.3, (n, n))
        value = {
            s: float(np.tanh(weight[list(s)].sum() + sum(pair[a, b] for a, b in combinations(s, 2))))
            for size in range(n + 1)
            for s in combinations(range(n), size)
        }
        credits = shapley_lite(
            n,
            orders_of(n, f"{seed} {game}"),
            lambda order, v=value: np.array([[v[tuple(sorted(order[:k]))]] for k in range(len(order) + 1)]),
        )
        mean, variance = mean_and_variance(credits)
        far = np.abs(mean[:, 0] - _exact(n, value))
        within, many = within + int((far <= 2.0 * np.sqrt(variance[:, 0])).sum()), many + n
        whole = value[tuple(range(n))] - value[()]
        worst = max(worst, float(np.abs(credits.sum(axis=1)[:, 0] - whole).max()))
    return {"worlds": 1, "within": within, "credits": many, "unequal": int(worst > 1e-12)}


def _exact(n: int, value: dict[tuple[int, ...], float]) -> np.ndarray:
    out = np.zeros(n)
    for k in range(n):
        for coalition, worth in value.items():
            if k not in coalition:
                share = factorial(len(coalition)) * factorial(n - len(coalition) - 1) / factorial(n)
                out[k] += share * (value[tuple(sorted((*coalition, k)))] - worth)
    return out


_ROOM = ROOT / "lotus" / "governance"
SOURCES = (
    Path(__file__),
    *(_ROOM / f"{name}.py" for name in ("allocator", "systematic", "allocation_value", "credit/shapley")),
)
STUDIES: dict[str, Study] = {
    "compute-useless": Study("compute-useless", Arms(), allocated, SOURCES, Arms(many=8, weeks=16), 2.0),
    "compute-clear": Study("compute-clear", Arms(noise=0.25), allocated, SOURCES, Arms(8, 16, 0.25), 2.0),
    "compute-noisy": Study("compute-noisy", Arms(noise=2.0), allocated, SOURCES, Arms(8, 16, 2.0), 2.0),
    "shapley-eight": Study("shapley-eight", Game(), shared, SOURCES, Game(4, 3), 2.0),
}
CLAIMS = [
    *(Claim("compute-useless", what, measure, *reach) for what, measure, *reach in (
        ("the useless dear expert is computed, after 12 Mondays", total("dear", "weeks"), 0.1),
        ("worlds in which those drawn are worth .85 of the best set", total("enough")),
        ("worlds in which equal probabilities at equal cost are worth .5 at most", total("even_half"), 0.95, True),
        ("the interval of the gain on equal probabilities holds it", total("covered"), 0.93, True),
        ("Mondays above the quota", total("over", "weeks"), 0.0),
    )),
    *(Claim(row, "worlds in which those drawn are worth .85 of the best set", total("enough"))
      for row in ("compute-clear", "compute-noisy")),
    Claim("shapley-eight", "credits within two standard errors of all 256 coalitions", total("within", "credits")),
    Claim("shapley-eight", "games in which an order does not share out all", total("unequal"), 0.0),
]  # fmt: skip

if __name__ == "__main__":
    raise SystemExit(command(STUDIES, CLAIMS, __doc__ or ""))
