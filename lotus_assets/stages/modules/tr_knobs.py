"""tr_trials, tr_lessons, tr_braids: what the trader learns of its knobs from plans of the book that tried one."""

from collections.abc import Mapping, Sequence

from lotus.knobs.rows import Observation, knob_scores
from lotus.modules.intents import Module
from lotus.trading.plan.knobs import KNOBS
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.modules.knob_lane import KnobLane
from lotus_store.ledger.beliefs.trials import trials_of

TR_TRIALS = knob_scores("tr_trials")


def observed(ctx: StageContext, day: str) -> Sequence[Observation]:
    """Return the plans in knob experiments that finished on the day."""
    with ctx.databases.connect(Module.TR.value) as connection:
        return trials_of(connection, ctx.branch, day)


def keys() -> Mapping[str, str]:
    """Return the knobs of execution by owner."""
    return {spec.owner: spec.key for spec in KNOBS}


LANE = KnobLane(Module.TR, TR_TRIALS, observed, keys)
TRIALS, LESSONS, BRAIDS = LANE.stages()
