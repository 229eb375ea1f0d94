"""`python -m benchmarks.breeding.settling_years --kind null --seeds 8`: a year of searches, shadows and settlements.

The closed loop on made-up days: every week a search on the last 20 days, charged for good; what the bar lets through
goes into shadow, is gated on its days to come, put in force when shown, followed, and archived when it ends. Nothing
of a home is used (no audits, cards or detectors in force). In a world without an edge every settlement is false; of a
planted pattern it is told how soon one that keeps part of its edge is in force.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields

import numpy as np

from benchmarks.lessons.claims import interval
from lotus.coprocessor.bar import Finalist, finalists
from lotus.coprocessor.breeding import Breeder, BreedPlan
from lotus.coprocessor.gate import ENTRANTS_A_YEAR, MOST_IN_SHADOW, GateState, enter, first_forward_day, observe
from lotus.coprocessor.genome import Genome
from lotus.coprocessor.panel import DAY_MS, SPAN_DAYS, Panel, PanelDay
from lotus.coprocessor.scoring import Floats, day_sums
from lotus.coprocessor.settlement import edge_of, ended
from lotus.simulation.breeding_world import KINDS, BreedingWorld, panel_of_days, world_days
from lotus.timebase import day_of

WEEK = 7


@dataclass(frozen=True, slots=True)
class Paid:
    """A forward day."""

    day: str
    gain_bps: float
    weight: float


@dataclass(frozen=True, slots=True)
class Year:
    """What a year of one world came to; days count from the first night of a search."""

    kind: str
    shape: str
    seed: int
    charged: int
    entered: int
    settled: int
    first_settled: int  # days after the first search, 0 for none
    gate_days: float  # of those settled, median
    archived: int
    kept_edge: float  # of the settled ones the best correlation of days with the planted pattern's, NaN without


@dataclass(slots=True)
class Shadow:
    """A candidate that entered on a night, with the day on which it was settled and archived, -1 for never."""

    night: int
    sums: Floats
    gate: GateState
    settled: int = -1
    archived: int = -1


def run_year(world: BreedingWorld, days: int, trials: int) -> Year:
    """Search once a week through the days of a world after its first 20."""
    made = world_days(world)
    parts = [panel_of_days(world, made[k : k + SPAN_DAYS]) for k in range(0, len(made), SPAN_DAYS)]
    charged, entered = set[str](), dict[str, Shadow]()
    first = SPAN_DAYS
    for night in range(first, first + days, WEEK):
        in_shadow = sum(s.settled < 0 and not s.gate.days >= 120 for s in entered.values())
        for one in _screened(world, made[night - SPAN_DAYS : night], trials, night, charged):
            if one.genome.canonical in entered or len(entered) >= ENTRANTS_A_YEAR or in_shadow >= MOST_IN_SHADOW:
                continue
            sums = _sums(one.genome, one.score.side, parts)
            span = sums[night - SPAN_DAYS : night]
            shadow = Shadow(night - 1, sums, enter(span[:, 0].tolist(), span[:, 1].tolist()))
            _live(one.genome.canonical, shadow, first + days)
            entered[one.genome.canonical] = shadow
            in_shadow += 1
    settled = [s for s in entered.values() if s.settled >= 0]
    oracle = _sums(world.oracle, 1, parts)[:, 0] if world.kind == "plant" else None
    kept = [float(np.corrcoef(s.sums[:, 0], oracle)[0, 1]) for s in settled] if oracle is not None else []
    return Year(
        world.kind, world.shape if oracle is not None else "", world.seed, len(charged), len(entered), len(settled),
        min((s.settled for s in settled), default=first) - first,
        float(np.median([s.settled - s.night for s in settled])) if settled else 0.0,
        sum(s.archived >= 0 for s in settled), max(kept, default=float("nan")),
    )  # fmt: skip


def _screened(
    world: BreedingWorld, days: list[PanelDay], trials: int, night: int, charged: set[str]
) -> Iterator[Finalist]:
    breeder = Breeder(
        panel_of_days(world, days), BreedPlan(1_000 * world.seed + night, trials),
        lambda charges: charged.update(c.canonical for c in charges),
    )  # fmt: skip
    breeder.breed(lambda: 0.0)
    yield from (one for one in finalists(breeder, lambda: len(charged)) if one.verdict.state == "screened")


def _sums(genome: Genome, side: int, parts: Sequence[Panel]) -> Floats:
    """Return S, H and spoken windows of every day of the world, f8[days, 3]."""
    return np.concatenate([day_sums([genome], [side], part)[0] for part in parts])


def _live(name: str, shadow: Shadow, until: int) -> None:
    """Let a candidate live on its days to come."""
    start = first_forward_day(day_of(shadow.night * DAY_MS), None)
    paid, settled, since = list[Paid](), "", ""
    for d in range(shadow.night + 1, until):
        day = day_of(d * DAY_MS)
        if start is None or day < start:
            continue
        gain, weight, spoken = (float(x) for x in shadow.sums[d])
        shadow.gate = observe(shadow.gate, gain, weight, int(spoken))
        paid.append(Paid(day, gain, weight))
        if not settled:
            if shadow.gate.state == "not_shown" or (shadow.gate.state == "shown" and edge_of(paid) <= 0.0):
                return
            if shadow.gate.state == "shown":
                settled = since = day
                shadow.settled = d
            continue
        step = ended(name, paid, shadow.gate.variance, settled, since, day)
        if step is not None and step.step == "archived":
            shadow.archived = d
            return
        since = day if step is not None else since


def main() -> None:
    """Run worlds seed by seed; a line a world, then how many settled anything."""
    reader = argparse.ArgumentParser()
    reader.add_argument("--kind", choices=KINDS, default="null")
    reader.add_argument("--seeds", type=int, default=8)
    reader.add_argument("--first", type=int, default=1)
    reader.add_argument("--days", type=int, default=365)
    reader.add_argument("--trials", type=int, default=300)
    asked = reader.parse_args()
    print(",".join(f.name for f in fields(Year)))
    years = []
    for seed in range(asked.first, asked.first + asked.seeds):
        shape = ("column", "conjunction", "sequence")[seed % 3]
        days = -(-(asked.days + SPAN_DAYS) // SPAN_DAYS) * SPAN_DAYS
        world = BreedingWorld(asked.kind, seed, shape, seed // 3, days, assets=2, windows=120)
        years.append(run_year(world, asked.days, asked.trials))
        print(",".join(f"{x:.3g}" if isinstance(x, float) else str(x) for x in astuple(years[-1])), flush=True)
    some = sum(year.settled > 0 for year in years)
    low, high = interval(some, len(years))
    print(
        f"# {asked.kind}: something is settled in {some} of {len(years)} years ({100 * low:.1f} to {100 * high:.1f} %)"
    )


if __name__ == "__main__":
    main()
