"""Execution knobs: the constants of execution that lessons of the trader may move, each with bounds.

A lesson moves a knob by a multiplier under the key `execution:<name>` (`lotus.priors.knobs`); whatever it says, the
value stays within the bounds of the table here. Rules of safety (how long a position may be without a stop, what a
halt does) are no knobs and must not become any. In the literature: bounded policy parameters.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lotus.detectors.entry_style import EntryStyle
from lotus.errors import ConfigError
from lotus.knobs.style_draw import STEPS

PREFIX = "execution:"
STYLE_KEY: Final = PREFIX + "entry_style"
STYLE_STEP: Final = 1.06  # between two styles of entry


@dataclass(frozen=True, slots=True)
class KnobSpec:
    """One knob: where it starts, between which bounds it stays, its unit and what it does."""

    name: str
    start: float
    low: float
    high: float
    unit: str
    meaning: str

    @property
    def key(self) -> str:
        """Key under which a braid moves it."""
        return PREFIX + self.name

    @property
    def owner(self) -> str:
        """What braids name as the owner whose behaviour they change: one for each knob."""
        return "execution." + self.name


KNOBS: tuple[KnobSpec, ...] = (
    KnobSpec("slice", 1.0, 0.5, 2.0, "1", "size of a slice as a share of the plan's: above 1 fewer, larger ones"),
    KnobSpec("jitter", 0.2, 0.0, 0.5, "1", "largest change of a slice's size and time as a share of its own"),
    KnobSpec("entry_slippage", 1.0, 0.5, 1.0, "1", "share of the plan's slippage that a crossing entry may use"),
    KnobSpec("exit_slippage", 100.0, 50.0, 500.0, "bps", "bound of the first market exit beyond the best price"),
    KnobSpec("retry", 500.0, 250.0, 2_000.0, "ms", "wait before an exit, cancel or question is repeated"),
    KnobSpec("passive_fill", 0.6, 0.4, 0.9, "1", "predicted fill probability from which a passive route is hinted"),
    KnobSpec("venue_liquidity", 0.3, 0.1, 0.6, "1", "weight of liquidity in the choice of a venue"),
    KnobSpec("venue_latency", 0.2, 0.05, 0.5, "1", "weight of latency in the choice of a venue"),
    KnobSpec("venue_slippage", 0.2, 0.05, 0.5, "1", "weight of slippage in the choice of a venue"),
    KnobSpec("venue_success", 0.3, 0.1, 0.6, "1", "weight of past success in the choice of a venue"),
    KnobSpec("entry_style", 1.0, 1.0, 1.15, "1", "steps of x1.06: none crosses, one joins the best, two improve it"),
)
TRIED = ("execution:exit_slippage", "execution:retry")  # in experiments: what acts once a position is to be left


@dataclass(frozen=True, slots=True)
class ExecutionKnobs:
    """The values in force, by the names and units of `KNOBS`."""

    slice: float = 1.0
    jitter: float = 0.2
    entry_slippage: float = 1.0
    exit_slippage: float = 100.0
    retry: float = 500.0
    passive_fill: float = 0.6
    venue_liquidity: float = 0.3
    venue_latency: float = 0.2
    venue_slippage: float = 0.2
    venue_success: float = 0.3
    entry_style: float = 1.0

    def __post_init__(self) -> None:
        """Raise `ConfigError` for a value outside its bounds."""
        for spec in KNOBS:
            value = getattr(self, spec.name)
            if not (math.isfinite(value) and spec.low <= value <= spec.high):
                raise ConfigError(f"{spec.key} is {value}", f"{spec.low} to {spec.high} {spec.unit}")

    @property
    def style(self) -> EntryStyle:
        """The style of entry whose step is nearest.

        >>> ExecutionKnobs().style.value, ExecutionKnobs(entry_style=1.03).style.value
        ('cross', 'join')
        """
        return tuple(EntryStyle)[min(2, round(math.log(self.entry_style) / math.log(STYLE_STEP)))]


def owners() -> dict[str, str]:
    """Return the key of every knob by who owns what is learned about it; each step of the style has an owner."""
    return {spec.owner: spec.key for spec in KNOBS} | {owner: STYLE_KEY for owner, _ in STEPS}


def style_of(first: float, second: float, least: float) -> float:
    """Return the value of `entry_style` from the multipliers of its two steps; the second counts on the first alone.

    A step is taken whole from the multiplier `least` on: that of the smallest lesson that owns a patch.

    >>> style_of(1.06, 1.06, 1.006) == STYLE_STEP**2, style_of(1.0, 1.06, 1.006), style_of(1.001, 1.0, 1.006)
    (True, 1.0, 1.0)
    """
    if first < least:
        return 1.0
    return STYLE_STEP ** (2 if second >= least else 1)


def patched(multipliers: Mapping[str, float], base: ExecutionKnobs | None = None) -> ExecutionKnobs:
    """Return the knobs under the multipliers of the priors in force, each kept within its bounds.

    Keys of other kinds of knobs are ignored; an execution knob that does not exist, or a multiplier that is not
    positive and finite, raises `ConfigError`.

    >>> patched({"execution:slice": 1.06}).slice, patched({"execution:slice": 9.0}).slice
    (1.06, 2.0)
    """
    base = base or ExecutionKnobs()
    keys = {spec.key for spec in KNOBS}
    for key, mult in multipliers.items():
        if key.startswith(PREFIX) and (key not in keys or not (math.isfinite(mult) and mult > 0.0)):
            raise ConfigError(f"knob {key!r} x{mult}", f"a positive multiplier of one of {', '.join(sorted(keys))}")
    values = {
        spec.name: min(spec.high, max(spec.low, getattr(base, spec.name) * multipliers.get(spec.key, 1.0)))
        for spec in KNOBS
    }
    return ExecutionKnobs(**values)
