"""Does the log know what a change was worth, and do many questions find something where nothing is?

`python -m benchmarks.governance.what_ifs --row what-if-braid --seeds 1-200`. Worlds of windows whose payoffs share
shocks of a day, and of a day and an hour in cells of context; a braid tilts the logit by .5 in a rule of an eighth of
the cells. The product's own sums and intervals judge them; the kernel that draws stored windows again is proved bit
for bit by tests. Beside stands the interval that takes windows as independent.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.lessons.claims import Claim, total
from benchmarks.lessons.command import command
from benchmarks.lessons.evidence import FOLDER, ROOT, Study
from benchmarks.lessons.worlds import Figures
from lotus.counterfactual.off_policy import DayWorth, worth, worth_of_day
from lotus.counterfactual.simulated import SimulatedDay, cost_model_disagrees, simulated
from lotus.simulation.learning_world import stream

CELLS, HOURS = 40, 24


@dataclass(frozen=True, slots=True)
class AskedWorld:
    """`kind`: braid (one change of known effect) or null (20 changes without any); `gain` in bps inside the rule."""

    kind: str
    days: tuple[int, int] = (5, 20)
    windows: int = 4_000
    gain: float = 2.0
    market_shock: float = 0.0
    day_shock: float = 1.0
    hour_shock: float = 1.0


@dataclass(frozen=True, slots=True)
class AskedDay:
    """Windows of a day, all [n]: cell, logit without the braid, payoff, model, its draw."""

    cell: np.ndarray
    logit: np.ndarray
    paid: np.ndarray
    paper: np.ndarray
    draw: np.ndarray


def day_of(world: AskedWorld, rng: np.random.Generator, rule: np.ndarray) -> AskedDay:
    """Return one day; payoffs grow with the score, the model is off by a constant and by noise."""
    n = world.windows
    cell, hour = rng.integers(CELLS, size=n), rng.integers(HOURS, size=n)
    logit = rng.normal(-2.2, 1.0, n)
    hourly = rng.normal(0.0, world.hour_shock, (CELLS, HOURS))[cell, hour]
    shared = rng.normal(0.0, world.market_shock) + rng.normal(0.0, world.day_shock, CELLS)[cell] + hourly
    edge = world.gain * rule[cell] if world.kind == "braid" else 0.0
    paid = edge + shared + 3.0 * rng.standard_t(5.0, n)
    return AskedDay(cell, logit, paid, 0.5 + paid + rng.normal(0.0, 1.5, n), rng.random(n))


def pi_of(logit: np.ndarray) -> np.ndarray:
    """Return the propensity with its floor."""
    return np.clip(1.0 / (1.0 + np.exp(-logit)), 0.02, 0.98)


def measure(world: AskedWorld, seed: int) -> Figures:
    """Return what the answers say of a world."""
    rng = stream(seed, "what-if")
    return _braid(world, rng) if world.kind == "braid" else _null(world, rng)


def _braid(world: AskedWorld, rng: np.random.Generator) -> Figures:
    rule = np.zeros(CELLS, bool)
    rule[rng.choice(CELLS, CELLS // 8, replace=False)] = True
    days, taped, truth, each = list[DayWorth](), list[SimulatedDay](), 0.0, list[np.ndarray]()
    for k in range(int(rng.integers(world.days[0], world.days[1] + 1))):
        day = day_of(world, rng, rule)
        pi, other = pi_of(day.logit + 0.5 * rule[day.cell]), pi_of(day.logit)
        published = day.draw < pi
        days.append(worth_of_day(str(k), pi, other, published, day.paper, np.where(published, day.paid, np.nan)))
        taped.append(SimulatedDay(str(k), float(((other - pi) * day.paid).sum()), 0.0, 0, 0))
        truth += float(((other - pi) * world.gain * rule[day.cell]).sum())
        surprise = np.where(published, (day.paid - day.paper) / pi, 0.0)
        each.append((other - pi) * (day.paper + surprise))
    found, tape = worth(days, 1), simulated(taped)
    windows = np.concatenate(each)
    reach = 1.96 * float(np.sqrt(len(windows)) * windows.std(ddof=1))
    low, high = found.plain.low or 0.0, found.plain.high or 0.0
    return {
        "days": len(days), "refused": int(bool(found.refused)),
        "covers": int(not found.refused and low <= truth <= high), "answered": int(not found.refused),
        "agrees": int(not found.refused and not cost_model_disagrees(found, tape)),
        "iid": int(not found.refused and abs(windows.sum() - truth) <= reach),
        "ess": round(found.ess, 1), "truth_bps": round(truth, 2), "found_bps": round(found.plain.total, 2),
    }  # fmt: skip


def _null(world: AskedWorld, rng: np.random.Generator) -> Figures:
    days = [day_of(world, rng, np.zeros(CELLS, bool)) for _ in range(world.days[1])]
    shown = plain = refused = 0
    for number in range(1, 21):
        rule = np.zeros(CELLS, bool)
        rule[rng.choice(CELLS, CELLS // 8, replace=False)] = True
        sums = []
        for k, day in enumerate(days):
            pi, other = pi_of(day.logit + 0.5 * rule[day.cell]), pi_of(day.logit)
            published = day.draw < pi
            sums.append(worth_of_day(str(k), pi, other, published, day.paper, np.where(published, day.paid, np.nan)))
        found = worth(sums, number)
        refused += bool(found.refused)
        shown += found.is_shown
        low, high = found.plain.low, found.plain.high
        plain += not found.refused and low is not None and high is not None and (low > 0.0 or high < 0.0)
    return {"questions": 20, "refused": refused, "shown": int(shown > 0), "plain": int(plain > 0), "plain_many": plain}


SOURCES = (
    Path(__file__),
    *(ROOT / "lotus" / "counterfactual" / f"{name}.py" for name in ("off_policy", "simulated")),
    ROOT / "lotus" / "curation" / "value.py",
)
_WORLDS = {"what-if-braid": AskedWorld("braid", market_shock=1.5), "what-if-null": AskedWorld("null")}
STUDIES = {
    name: Study(name, world, measure, SOURCES, replace(world, days=(5, 6), windows=1_500), 1.0)
    for name, world in _WORLDS.items()
}
CLAIMS = [
    Claim("what-if-braid", "the log's 95 % interval covers the known effect, 5 to 20 days", total("covers", "answered"),
          0.93, True),
    Claim("what-if-braid", "the tape's value lies in the log's interval", total("agrees", "answered"), 0.93, True),
    Claim("what-if-braid", "windows taken as independent cover it", total("iid", "answered"), 0.5),
    Claim("what-if-null", "20 questions where nothing is: any is shown", total("shown"), 0.05),
    Claim("what-if-null", "of these any at a plain 95 %", total("plain"), 0.4, True),
]  # fmt: skip


def lines(folder: Path = FOLDER) -> list[str]:
    """Return nothing beside the claims."""
    return []


if __name__ == "__main__":
    raise SystemExit(command(STUDIES, CLAIMS, __doc__ or ""))
