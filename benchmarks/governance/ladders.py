"""Who climbs a ladder of evidence in a year without edge, and how long one with an edge takes.

`python -m benchmarks.governance.ladders --row ladder-null --seeds 1-200`. Twenty subjects begin the year at small live;
the product's own evidence and step are asked. Beside it stands the rule of a t above 2, looked at daily after 20 days.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.lessons.claims import Claim, total
from benchmarks.lessons.command import command
from benchmarks.lessons.evidence import FOLDER, ROOT, Study, best_rows
from benchmarks.lessons.worlds import Figures
from lotus.governance.ladder import HARM_E, LIVE_DAYS, PROMOTE_E, LadderStanding, Rung, bet_on, harm_of, step_of
from lotus.simulation.learning_world import stream


@dataclass(frozen=True, slots=True)
class LadderWorld:
    """`snr`: daily mean over deviation; payoffs are Student's t with 4 degrees whose scale persists (volatility).

    `memory`: of a day in the next one, AR(1). `loss_every`: instead a small gain every day and, once in so many on
    average, a loss that takes all of it.
    """

    snr: float = 0.0
    subjects: int = 20
    days: int = 365
    shared: float = 0.3  # of the variance, common to all subjects
    sd_bps: float = 5.0
    memory: float = 0.0
    loss_every: int = 0


def payoffs_of(world: LadderWorld, seed: int) -> np.ndarray:
    """Return daily net payoffs [subjects, days], bps."""
    rng = stream(seed, "ladder")
    if world.loss_every:
        falls = rng.random((world.subjects, world.days)) < 1.0 / world.loss_every
        return world.sd_bps * (np.where(falls, 1.0 - world.loss_every, 1.0) + 0.5 * rng.normal(size=falls.shape))
    scale = np.exp(0.4 * _persistent(rng, world.days))
    own, common = rng.standard_t(4.0, (world.subjects, world.days)), rng.standard_t(4.0, world.days)
    noise = np.sqrt(1.0 - world.shared) * own + np.sqrt(world.shared) * common
    return world.sd_bps * (world.snr + _remembered(noise, world.memory) * scale / np.sqrt(2.0 * np.mean(scale**2)))


def _remembered(noise: np.ndarray, memory: float) -> np.ndarray:
    """Return noise [subjects, days] of the same variance in which a share of each day is left on the next one."""
    out = noise.copy()
    for day in range(1, out.shape[1]) if memory else ():
        out[:, day] = memory * out[:, day - 1] + np.sqrt(1.0 - memory**2) * noise[:, day]
    return out


def _persistent(rng: np.random.Generator, days: int) -> np.ndarray:
    out = np.zeros(days)
    for day in range(1, days):
        out[day] = 0.9 * out[day - 1] + np.sqrt(1.0 - 0.81) * rng.normal()
    return out


def measure(world: LadderWorld, seed: int) -> Figures:
    """Return how many subjects leave the last rung upward in a year, by either rule, and after how many days."""
    paid = payoffs_of(world, seed)
    up, paper, naive, fell, days = 0, 0, 0, 0, list[int]()
    for row in paid:
        whole = bet_on(row.tolist())
        paper += whole.peak >= PROMOTE_E
        fell += harm_of(row.tolist()).peak >= HARM_E
        if whole.peak >= PROMOTE_E * world.subjects:
            last = _first_day(row, PROMOTE_E * world.subjects)
            standing = LadderStanding("detector", "x", Rung.LIVE, audits=True, parity=True,
                                payoffs_bps=tuple(row[:last].tolist()), on_rung=world.subjects,
                                slippage_high_bps=0.0)  # fmt: skip
            rises = step_of(standing).to is Rung.FULL
            up += rises
            days += [last] if rises else []
        n = np.arange(1, world.days + 1)
        mean = np.cumsum(row) / n
        sd = np.sqrt(np.maximum(1e-12, np.cumsum(row**2) / n - mean**2))
        naive += bool(np.any((mean / sd * np.sqrt(n))[LIVE_DAYS:] > 2.0))
    return {
        "subjects": world.subjects, "up": up, "any": int(up > 0), "paper": paper, "naive": naive,
        "naive_any": int(naive > 0), "fell": fell, "median_days": float(np.median(days)) if days else 0.0,
    }  # fmt: skip


def _first_day(row: np.ndarray, bar: float) -> int:
    low, high = LIVE_DAYS, len(row)
    while low < high:
        middle = (low + high) // 2
        if bet_on(row[:middle].tolist()).peak >= bar:
            high = middle
        else:
            low = middle + 1
    return low


SOURCES = (Path(__file__), ROOT / "lotus" / "governance" / "ladder.py")
_WORLDS = {
    "ladder-null": LadderWorld(),
    "ladder-edge": LadderWorld(snr=0.2, days=730),
    "ladder-harm": LadderWorld(snr=-0.4),
    "ladder-memory": LadderWorld(memory=0.3),
    "ladder-rare": LadderWorld(loss_every=60),
}
STUDIES = {
    name: Study(name, world, measure, SOURCES, replace(world, subjects=4, days=60), 1.0)
    for name, world in _WORLDS.items()
}
CLAIMS = [
    Claim("ladder-null", "a year without edge, 20 subjects: any leaves the last rung upward", total("any"), 0.05),
    Claim("ladder-null", "a subject leaves paper upward", total("paper", "subjects"), 0.05),
    Claim("ladder-null", "t > 2 looked at daily: any passes", total("naive_any"), 0.5, True),
    Claim("ladder-memory", "the same, a third of a day stays on the next: any leaves", total("any"), 0.05),
    Claim("ladder-rare", "the same, one loss in 60 days: any leaves", total("any"), 0.05),
    Claim("ladder-memory", "the same: a subject falls", total("fell", "subjects")),
    Claim("ladder-edge", "a daily signal to noise of .2: up within two years", total("up", "subjects")),
    Claim("ladder-harm", "a daily signal to noise of -.4: down within a year", total("fell", "subjects")),
]


def lines(folder: Path = FOLDER) -> list[str]:
    """Return after how many days a subject with an edge is up."""
    rows = best_rows(STUDIES["ladder-edge"], folder)
    medians = [float(row["median_days"]) for row in rows if float(row["median_days"]) > 0.0]
    if not medians:
        return []
    shown = f"Those with a daily signal to noise of .2 that are up are so after {np.median(medians):.0f} days (median)."
    return [shown, ""]


if __name__ == "__main__":
    raise SystemExit(command(STUDIES, CLAIMS, __doc__ or ""))
