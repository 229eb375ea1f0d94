"""Lives of a knob: trials, effects and nights."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from lotus.knobs.experiment import drawn_experiment
from lotus.knobs.nightly import KnobEvidence, KnobMemory, KnobRun, learn_knobs
from lotus.knobs.rows import Observation, Table, expected_of, rows_of
from lotus.manifest import LearningDefaults, Manifest
from lotus.priors.knobs import knob_values
from lotus.priors.types import PriorsVersion, priors_0
from lotus.timebase import DAY_MS, HOUR_MS, day_start_ms, next_day
from lotus.trading.plan.knobs import KNOBS
from lotus.weave.braid import Braid

RETRY = next(spec for spec in KNOBS if spec.name == "retry")
KEYS = {RETRY.owner: RETRY.key}
# fewer draws at a larger alpha: as many slots in a tenth of the time
MANIFEST = replace(Manifest(), learning=LearningDefaults(knob_alpha=0.05, knob_draws=400))
BINS = [5, 3, 5, 5, 5, 5, 5, 5, 5, 4, 5, 5]
FIRST = "2026-01-01"
Effect = Callable[[int, np.ndarray], float]  # day number, bins -> bps that the moved side earns more


def trials(seed: int, number: int, day: str, effect: Effect, n: int = 400) -> list[Observation]:
    """Plans in trials of one day: outcomes scatter by 3 bps around a cost that changes by day, with fat tails."""
    rng = np.random.default_rng([seed, number])
    cost, out = -3.0 + rng.normal(), []
    for i in range(n):
        at_ms = day_start_ms(day) + int(rng.integers(DAY_MS))
        trial = drawn_experiment(f"{seed} {day} {i}", at_ms, [RETRY.key], 1.0, 1.06, 7)
        assert trial is not None
        bins = rng.integers(0, BINS)
        outcome = cost + 2.1 * rng.standard_t(4) + trial.arm * effect(number, bins)
        text = "".join(map(str, bins))
        out.append(
            Observation(
                f"{day} {i}", RETRY.owner, "BTC", 60, at_ms, text, trial.arm, trial.propensity, outcome, "venue"
            )
        )
    return out


@dataclass
class Life:
    """A module that learns night after night."""

    seed: int
    effect: Effect
    manifest: Manifest = MANIFEST
    keys: Mapping[str, str] = field(default_factory=lambda: KEYS)
    scores: dict[str, Table] = field(default_factory=dict)
    board: list[Braid] = field(default_factory=list)
    memory: KnobMemory = field(default_factory=KnobMemory)
    version: PriorsVersion = field(default_factory=lambda: priors_0("main"))
    day: str = FIRST
    number: int = 0

    def seen(self, plans: int) -> list[Observation]:
        return trials(self.seed, self.number, self.day, self.effect, plans)

    def nights(self, n: int, plans: int = 400) -> Iterator[KnobRun]:
        for _ in range(n):
            seen = self.seen(plans)
            if seen:
                self.scores[self.day] = rows_of(seen, self.day, expected_of(self.scores.values()))
            swap = day_start_ms(next_day(self.day)) + 2 * HOUR_MS
            evidence = KnobEvidence(self.scores, self.day, self.keys, self.version, self.board, effective_from_ms=swap)
            night = learn_knobs(evidence, self.manifest, self.memory)
            self.board, self.memory, self.version = list(night.woven.braids), night.memory, night.woven.priors
            self.day, self.number = next_day(self.day), self.number + 1
            yield night

    def value(self, vol: int) -> float:
        """The multiplier of the knob a day after the last swap, in a volatility bin."""
        at, bins = self.version.effective_from_ms + DAY_MS, [vol] + 11 * [1]
        weave = self.manifest.weave
        return knob_values(self.version, "tr", RETRY.owner, bins, at, weave).get(RETRY.key, 1.0)
