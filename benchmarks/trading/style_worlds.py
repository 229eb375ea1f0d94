"""What the trader learns of styles in worlds whose truth is set: `python -m benchmarks.trading.style_worlds`.

Published windows pay heavy-tailed noise that all styles share; joining differs from crossing by noise of its own, and
pays `--bps` more where the volatility is high until `--dies`. Every night is the product's: drawn trials, the knobs'
learner under its own alpha, the weave, and the choice of a plan's style. With `--bps 0` nothing is to be found.

A night without a slot can accept nothing, so a null year is lived by its nights with slots alone (`null_life`);
only where a rule passes the bars of both lanes every night is lived after all, since audits remember the nights before.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace

import click
import numpy as np

from lotus.detectors.entry_style import EntryStyle
from lotus.knobs.nightly import KnobEvidence, KnobMemory, KnobRun, knob_manifest, learn_knobs
from lotus.knobs.rows import Table, rows_of
from lotus.knobs.style_draw import STEPS
from lotus.knobs.style_trials import style_observations
from lotus.learning.day_cube import DayCube
from lotus.learning.payoff_scores import Columns
from lotus.learning.slots import allowance_tonight
from lotus.manifest import Manifest
from lotus.priors.context import context_text
from lotus.priors.types import PriorsVersion, priors_0
from lotus.priors.vocabulary import N_BINS
from lotus.timebase import DAY_MS, HOUR_MS, day_start_ms, next_day
from lotus.trading.plan.knob_choice import choice_of
from lotus.trading.plan.knobs import STYLE_KEY
from lotus.weave.braid import Braid

FIRST, SHARES = "2026-01-05", (0.2, 0.05)
SHARED_BPS, OWN_BPS = 25.0, 6.0  # scales of the noise of a payoff, and of a difference of styles (Student, 3 and 4)
SMALL, HIGH_VOL = 1, 3
OWNERS = {owner: STYLE_KEY for owner, _ in STEPS}


@dataclass(frozen=True, slots=True)
class StyleWorld:
    """Windows a day, and what joining pays more where the volatility is high, in bps, until the day `dies`."""

    seed: int
    bps: float = 3.0
    dies: int = 10**6
    windows: int = 2_000

    def day(self, number: int, day: str) -> tuple[Columns, dict[str, str]]:
        """Return STYLE_PAYOFFS of a day (the columns that trials read) and the contexts of its windows."""
        rng = np.random.default_rng([self.seed, number])
        n = self.windows
        bins = np.stack([rng.integers(0, size, n) for size in N_BINS], axis=1)
        cross = -9.0 + SHARED_BPS * rng.standard_t(3, n)
        differences = OWN_BPS * rng.standard_t(4, (2, n))
        gain = self.bps * ((bins[:, 0] >= HIGH_VOL) & (number < self.dies))
        ends = day_start_ms(day) + np.sort(rng.integers(0, DAY_MS, n))
        names = [f"{self.seed} {number} {i}" for i in range(n)]
        table: Columns = {
            "event_id": np.array(names, dtype=object),
            "asset": np.full(n, "BTC", dtype=object),
            "maturity_ms": ends,
            "horizon_s": np.full(n, 30, dtype=np.int32),
            "cross": cross,
            "join_low": cross + gain + differences[0],
            "improve_low": cross + gain + differences[1],
        }
        return table, dict(zip(names, map(context_text, bins.tolist()), strict=True))


class SumsInMemory:
    """Sums of days whose windows never change: of each day and owner the newest (`lotus.knobs.past.KeptSums`)."""

    def __init__(self) -> None:
        """Start empty."""
        self._kept: dict[tuple[str, str, bool], tuple[str, DayCube]] = {}

    def sums(self, day: str, owner: str, key: str, paper: bool, make: Callable[[], DayCube]) -> DayCube:
        """Return the sums of a day under `key`, made where they are missing."""
        place = (day, owner, paper)
        if place not in self._kept or self._kept[place][0] != key:
            self._kept[place] = (key, make())
        return self._kept[place][1]

    def forget(self, day: str) -> None:
        """Forget a day."""
        self._kept = {place: held for place, held in self._kept.items() if place[0] != day}


@dataclass(slots=True)
class StyleLife:
    """A trader that learns night after night; `kept` holds sums of its days (None: every night makes them all)."""

    world: StyleWorld
    manifest: Manifest = field(default_factory=Manifest)
    scores: dict[str, Table] = field(default_factory=dict)
    board: list[Braid] = field(default_factory=list)
    memory: KnobMemory = field(default_factory=KnobMemory)
    version: PriorsVersion = field(default_factory=lambda: priors_0("main"))
    kept: SumsInMemory | None = field(default_factory=SumsInMemory)
    day: str = FIRST
    number: int = 0

    def nights(self, n: int) -> Iterator[int]:
        """Live through nights; yield how many lessons each accepted."""
        for _ in range(n):
            night = self.night()
            yield len(night.learned.lessons) if night.learned is not None else 0

    def night(self) -> KnobRun:
        """Live a day and its night."""
        self.tried()
        swap = day_start_ms(next_day(self.day)) + 2 * HOUR_MS
        evidence = KnobEvidence(
            self.scores, self.day, OWNERS, self.version, self.board, effective_from_ms=swap, kept=self.kept
        )
        night = learn_knobs(evidence, self.manifest, self.memory)
        self.board, self.version = list(night.woven.braids), night.woven.priors
        self._over(night.memory)
        return night

    def tried(self) -> None:
        """Take in what the styles of a day paid; days before the search window go."""
        table, contexts = self.world.day(self.number, self.day)
        trials = style_observations(table, contexts, SHARES, self.manifest.score.seed)
        self.scores[self.day] = rows_of(trials, self.day, {})
        for old in sorted(self.scores)[: -self.manifest.learning.search_days]:
            del self.scores[old]
            if self.kept is not None:
                self.kept.forget(old)

    def day_without_slots(self) -> None:
        """Live a day whose night may accept nothing, and leave out what that night would have computed."""
        self.tried()
        self._over(replace(self.memory, learning_days=self.memory.learning_days + 1))

    @property
    def has_slots(self) -> bool:
        """Tell whether the night to come may accept a lesson."""
        own, number = knob_manifest(self.manifest).learning, self.memory.learning_days + 1
        return any(allowance_tonight(lane, number, own.draws, own.alpha) > 0 for lane in self.memory.slots)

    def _over(self, memory: KnobMemory) -> None:
        self.memory, self.day, self.number = memory, next_day(self.day), self.number + 1

    def style(self, volatility: int) -> EntryStyle:
        """Return the style of a plan a day after the last swap, in a bin of the volatility."""
        bins = [volatility] + (len(N_BINS) - 1) * [SMALL]
        at_ms = self.version.effective_from_ms + DAY_MS
        return choice_of(self.version, "", bins, at_ms, self.manifest.weave).knobs.style


@dataclass(frozen=True, slots=True)
class Found:
    """What became of one world: nights until the style moved where it pays, until it was back, lessons, moves else."""

    seed: int
    moved: int | None
    back: int | None
    lessons: int
    elsewhere: int


def found_in(world: StyleWorld, nights: int) -> Found:
    """Live one world; `back` counts from the day on which the effect died."""
    life, moved, back, lessons, elsewhere = StyleLife(world), None, None, 0, 0
    for number, accepted in enumerate(life.nights(nights), 1):
        lessons += accepted
        acts = life.style(4) is not EntryStyle.CROSS
        elsewhere += life.style(0) is not EntryStyle.CROSS
        if acts and moved is None:
            moved = number
        if number > world.dies and not acts and back is None:
            back = number - world.dies
    return Found(world.seed, moved, back, lessons, elsewhere)


@dataclass(frozen=True, slots=True)
class NullYear:
    """What a life in which no style pays showed: whether the bars of both lanes were crossed, lessons accepted."""

    crossed: bool
    lessons: int


def null_life(world: StyleWorld, nights: int) -> NullYear:
    """Live so many nights, and return what `StyleLife.nights` would show.

    Until a lesson is accepted, slots and bars follow from the days' sums alone, and no rule can be accepted before the
    largest evidence crossed the bars of both lanes.
    """
    life = StyleLife(world)
    for _ in range(nights):
        if life.has_slots:
            life.night()
        else:
            life.day_without_slots()
        if all(0 in lane.crossed for lane in life.memory.slots):
            return NullYear(True, sum(StyleLife(world).nights(nights)))
    return NullYear(False, 0)


@click.command()
@click.option("--worlds", default=4, show_default=True)
@click.option("--first", default=1, show_default=True, help="Seed of the first world.")
@click.option("--nights", default=60, show_default=True)
@click.option("--bps", default=3.0, show_default=True, help="What joining pays more where it does; 0: nowhere.")
@click.option("--dies", default=40, show_default=True, help="The day on which it stops paying.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(worlds: int, first: int, nights: int, bps: float, dies: int, as_json: bool) -> None:
    """Live worlds of known truth."""
    rows = [asdict(found_in(StyleWorld(seed, bps, dies), nights)) for seed in range(first, first + worlds)]
    any_lesson = sum(row["lessons"] > 0 for row in rows)
    out = {"bps": bps, "nights": nights, "worlds": worlds, "with_any_lesson": any_lesson, "rows": rows}
    print(json.dumps(out) if as_json else json.dumps(out, indent=1))


if __name__ == "__main__":
    main()
