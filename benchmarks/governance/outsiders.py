"""Worlds in which an assumption of governance does not hold: what its promises are worth outside of it.

`python -m benchmarks.governance.outsiders --row outside-carry --seeds 1-100`. What a world breaks:

carry      daily payoffs are skewed to the left: a gain of one on 19 of 20 days, a loss of 19 on the other, mean 0
remembers  daily payoffs have mean 0 and remember a tenth (AR(1), .1)
days       the payoffs of what a what-if asks about remember .3 from day to day
ticks      an honest year in which spreads are whole ticks; volatility is GARCH(1, 1), weekends are quieter
"""

from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.governance.drift_alarms import DECIDING, FALSE, alarms_of
from benchmarks.governance.watched_worlds import FIRST_DAY, Watched, remembering, volatility
from benchmarks.governance.what_ifs import CELLS, pi_of
from benchmarks.lessons.claims import Claim, total
from benchmarks.lessons.command import command
from benchmarks.lessons.evidence import FOLDER, ROOT, Study
from benchmarks.lessons.worlds import Figures
from lotus.counterfactual.off_policy import DayWorth, worth, worth_of_day
from lotus.governance.ladder import LIVE_DAYS, PROMOTE_E, bet_on
from lotus.monitoring.drift import REPORTS, drift_report
from lotus.monitoring.drift_table import DriftReport
from lotus.monitoring.like_days import LOOK_BACK, is_weekend
from lotus.monitoring.sketch_table import DATA, LN_RV, DaySketches, SeriesName, sketched, together
from lotus.simulation.learning_world import stream
from lotus.timebase import next_day

COINS = ("BTC", "ETH", "SOL")
SERIES = (("spread_bps", 0.7), ("depth_bid_usd", -0.5), ("volume_usd", 1.1), ("ret_bps", 1.0))
TICKS = 1.2  # of the median spread
LOSS_DAYS, LOSS = 1 / 20, 19.0


@dataclass(frozen=True, slots=True)
class OutsideWorld:
    """`kind` as above, days that count, subjects (ladder) and windows a day."""

    kind: str
    days: int = 365
    subjects: int = 20
    windows: int = 300


def measure(world: OutsideWorld, seed: int) -> Figures:
    """Return what the product's own rules say of a world."""
    rng = stream(seed, f"outside-{world.kind}")
    if world.kind == "ticks":
        return _ticks(world, rng)
    return _days(world, rng) if world.kind == "days" else _ladder(world, rng)


def _ladder(world: OutsideWorld, rng: np.random.Generator) -> Figures:
    shape = (world.subjects, world.days)
    if world.kind == "carry":
        paid = np.where(rng.random(shape) < LOSS_DAYS, -LOSS, 1.0) + 0.5 * rng.normal(size=shape)
    else:
        paid = remembering(rng.normal(size=shape), 0.1)
    peaks = [bet_on((5.0 * row).tolist()).peak for row in paid] if world.days >= LIVE_DAYS else []
    up = sum(peak >= PROMOTE_E * world.subjects for peak in peaks)
    paper = sum(peak >= PROMOTE_E for peak in peaks)
    return {"subjects": world.subjects, "any": int(up > 0), "up": up, "paper": paper}


def _days(world: OutsideWorld, rng: np.random.Generator) -> Figures:
    rule = np.arange(CELLS) < CELLS // 8
    count, n = int(rng.integers(5, 21)), world.windows * 10
    shared = 2.0 * remembering(rng.normal(size=(1, count)), 0.3)[0]
    sums, truth, taped = list[DayWorth](), 0.0, 0.0
    for k in range(count):
        inside, logit = rule[rng.integers(CELLS, size=n)], rng.normal(-2.2, 1.0, n)
        paid = (2.0 + shared[k]) * inside + 3.0 * rng.standard_t(5.0, n)
        pi, other = pi_of(logit + 0.5 * inside), pi_of(logit)
        drawn = rng.random(n) < pi
        paper = 0.5 + paid + rng.normal(0.0, 1.5, n)
        sums.append(worth_of_day(str(k), pi, other, drawn, paper, np.where(drawn, paid, np.nan)))
        truth += float(((other - pi) * 2.0 * inside).sum())
        taped += float(((other - pi) * paid).sum())
    found = worth(sums, 1)
    low, high = found.plain.low, found.plain.high
    if found.refused or low is None or high is None:
        return {"answered": 0, "covers": 0, "holds_tape": 0}
    return {"answered": 1, "covers": int(low <= truth <= high), "holds_tape": int(low <= taped <= high)}


def _ticks(world: OutsideWorld, rng: np.random.Generator) -> Figures:
    before = 60 if world.days > 60 else 20
    count = before + world.days
    ln_vol = volatility(rng, Watched(), count)
    past, reports = deque[tuple[str, DaySketches]](maxlen=LOOK_BACK), deque[DriftReport](maxlen=REPORTS)
    total_alarms = spreads = 0
    for k in range(count):
        day = next_day(FIRST_DAY, k)
        sketches = _day(world, rng, ln_vol[:, k] - 0.4 * is_weekend(day))
        report = drift_report(day, sketches, list(past), list(reports), 7)
        past.append((day, sketches))
        reports.append(report)
        alarms, who = alarms_of(report) if k >= before else (0, [])
        total_alarms += alarms
        spreads += any(isinstance(name, SeriesName) and name.series == "spread_bps" for name in who)
    return {"days": world.days, "alarms": total_alarms, "spreads": spreads}


def _day(world: OutsideWorld, rng: np.random.Generator, ln_vol: np.ndarray) -> DaySketches:
    parts = []
    for coin, level in zip(COINS, ln_vol, strict=True):
        effect = 0.08 * rng.normal(size=(len(SERIES), 1))
        noise = rng.normal(size=(len(SERIES), world.windows)) + effect
        values = np.exp(np.array([[power] for _, power in SERIES]) * level) * np.exp(0.5 * noise)
        values[-1] = np.exp(level) * noise[-1]
        values[0] = np.maximum(1.0, np.round(TICKS * values[0]))
        parts.append(sketched([SeriesName(DATA, coin, "", name) for name, _ in SERIES], values))
        parts.append(sketched([SeriesName(DATA, coin, "", LN_RV)], level + 0.3 * rng.normal(size=(1, world.windows))))
    return together(parts)


SOURCES = (
    Path(__file__),
    *(Path(__file__).with_name(f"{name}.py") for name in ("drift_alarms", "watched_worlds", "what_ifs")),
    *(ROOT / "lotus" / "monitoring" / f"{name}.py" for name in DECIDING),
    *(ROOT / "lotus" / name for name in ("counterfactual/off_policy.py", "governance/ladder.py", "curation/value.py")),
)
_WORLDS = {f"outside-{kind}": OutsideWorld(kind) for kind in ("carry", "remembers", "days", "ticks")}
STUDIES = {
    name: Study(name, world, measure, SOURCES, replace(world, days=30, subjects=4, windows=120), 2.0)
    for name, world in _WORLDS.items()
}
ANY = "a year without edge, 20 subjects: any leaves the last rung upward"
CLAIMS = [
    Claim("outside-carry", ANY, total("any"), 0.05),
    Claim("outside-remembers", ANY, total("any"), 0.05),
    Claim("outside-days", "the log's 95 % interval covers the lasting effect", total("covers", "answered"), 0.93, True),
    Claim("outside-days", "it holds what the days paid", total("holds_tape", "answered"), 0.93, True),
    Claim("outside-ticks", FALSE, total("alarms", "days"), 1.0 / 365.0),
    Claim("outside-ticks", "of these a spread is named", total("spreads", "alarms")),
]


def lines(folder: Path = FOLDER) -> list[str]:
    """Return nothing beside the claims."""
    return []


if __name__ == "__main__":
    raise SystemExit(command(STUDIES, CLAIMS, __doc__ or ""))
