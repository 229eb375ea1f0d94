"""The knobs that one plan is executed with: what the trader's priors in force say of them in the plan's context.

Chosen once, when a plan is accepted, and stored with it, so that a report or a person finds again which version moved
what. Nothing is executed here. In the literature: contextual configuration.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lotus.knobs.experiment import KnobExperiment
from lotus.knobs.style_draw import STEPS
from lotus.manifest import WeaveDefaults
from lotus.plain import later
from lotus.priors.knobs import composed_knob, knob_values
from lotus.priors.types import PriorsVersion
from lotus.trading.plan.knobs import KNOBS, STYLE_KEY, ExecutionKnobs, patched, style_of


@dataclass(frozen=True, slots=True)
class KnobChoice:
    """Multipliers by key of the knobs that are moved for a plan, by which version of the priors, in which context.

    A knob under experiment is moved by its `trial` alone. `composed` are the compositions across modules that settled
    a step of the style.
    """

    priors_ver: str = ""
    context: str = ""
    moved: Mapping[str, float] = field(default_factory=dict)
    trial: KnobExperiment | None = None
    composed: tuple[str, ...] = later(())

    @property
    def knobs(self) -> ExecutionKnobs:
        """The values to execute with, each within its bounds."""
        return patched(self.moved)


def choice_of(
    version: PriorsVersion,
    context: str,
    bins: Sequence[int],
    time_ms: int,
    weave: WeaveDefaults,
    trial: KnobExperiment | None = None,
    detector_id: str = "",
) -> KnobChoice:
    """Return what a version says at an event time in a context (`bins` [12], `context` the same as text).

    `detector_id` is that of a plan of the book that one leads: its compositions settle steps of the style for it.
    """
    moved: dict[str, float] = {}
    composed: tuple[str, ...] = ()
    for spec in KNOBS if version.braids else ():
        mult = _multiplier(version, spec.owner, spec.key, bins, time_ms, weave)
        if spec.key == STYLE_KEY:
            steps = mult, _multiplier(version, STEPS[1][0], spec.key, bins, time_ms, weave)
            found = [composed_knob(version, owner, detector_id, spec.key, bins, time_ms) for owner, _ in STEPS]
            first, second = (own if one is None else one[0] for own, one in zip(steps, found, strict=True))
            mult = style_of(first, second, weave.phi_step ** (weave.min_tilt / weave.max_tilt))
            composed = tuple(one[1] for one in found if one is not None)
        moved |= {spec.key: mult} if mult != 1.0 else {}
    if trial is not None:
        moved = {key: mult for key, mult in moved.items() if key != trial.key}
        moved |= {trial.key: trial.mult} if trial.arm else {}
    return KnobChoice(version.priors_ver, context, moved, trial, composed)


def _multiplier(
    version: PriorsVersion, owner: str, key: str, bins: Sequence[int], time_ms: int, weave: WeaveDefaults
) -> float:
    return knob_values(version, "tr", owner, bins, time_ms, weave).get(key, 1.0)
