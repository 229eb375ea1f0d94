"""Experiments on knobs: which plans take part, which knob they try, and on which side of it they are.

A plan in an experiment is executed with one knob at its start or one bounded step above, as a fair draw decides;
braids on that knob do not act on it, so what is in force does not change what is measured about it. The draw is keyed
by the plan's name alone, and the probability is stored with it: a restart, or a reader, draws the same. Knobs
take turns by six-hour blocks, so that each meets every hour of the day. In the literature: randomised controlled
experiment, switchback rotation of treatments.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lotus.errors import ConfigError
from lotus.hashing import key64
from lotus.timebase import BLOCK_MS, BLOCKS_PER_DAY, DAY_MS

FAIR = 0.5  # probability of the moved side
_UNIT = 2.0**-53


@dataclass(frozen=True, slots=True)
class KnobExperiment:
    """One plan's part in the experiment on a knob: `arm` 1 is moved by `step`, 0 stands at its start."""

    key: str
    arm: int
    propensity: float
    step: float

    def __post_init__(self) -> None:
        if self.arm not in (0, 1) or not 0.0 < self.propensity < 1.0 or not self.step > 0.0:
            raise ConfigError(f"an experiment {self}", "arm 0 or 1, a propensity between 0 and 1, a positive step")

    @property
    def mult(self) -> float:
        """What the knob's start is multiplied with."""
        return self.step if self.arm else 1.0


def drawn_experiment(
    name: str, time_ms: int, keys: Sequence[str], share: float, step: float, seed: int
) -> KnobExperiment | None:
    """Return the experiment of a plan, None for one that takes no part.

    `share` of all plans take part, whatever they are; `keys` are the knobs in their order of rotation, `time_ms` event
    time. The same name always draws the same.

    >>> drawn_experiment("a plan", 0, ["execution:retry"], 0.0, 1.06, 7) is None
    True
    """
    if not keys or share <= 0.0:
        return None
    stream = np.random.Philox(key=np.array([seed, key64("knob trial", name)], dtype=np.uint64))
    takes_part, side = ((word >> 11) * _UNIT for word in stream.random_raw(2).tolist())
    if takes_part >= share:
        return None
    return KnobExperiment(turn_of(time_ms, keys), int(side < FAIR), FAIR, step)


def turn_of(time_ms: int, keys: Sequence[str]) -> str:
    """Return whose turn it is: the next knob every six hours, and every day begins one further.

    >>> [turn_of(block * BLOCK_MS, "ab") for block in range(8)]
    ['a', 'b', 'a', 'b', 'b', 'a', 'b', 'a']
    """
    day, block = time_ms // DAY_MS, time_ms % DAY_MS // BLOCK_MS
    return keys[(day % len(keys) + block % BLOCKS_PER_DAY) % len(keys)]
