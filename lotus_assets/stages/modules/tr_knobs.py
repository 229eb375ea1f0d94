"""tr_trials, tr_lessons, tr_braids: what the trader learns of its knobs.

Plans of the book that tried a knob tell what leaving cost; published windows tell what their drawn style of entry paid.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from lotus.knobs.rows import Observation, knob_scores
from lotus.knobs.style_trials import style_observations
from lotus.modules.intents import Module
from lotus.outcomes.style_table import STYLE_PAYOFFS
from lotus.priors.context import context_text
from lotus.priors.vocabulary import BIN_COLUMNS
from lotus.trading.plan.knobs import owners
from lotus_assets.stages.chain import content_of
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.modules.knob_lane import KnobLane
from lotus_assets.stages.scoring.signal_eval import read_events
from lotus_resources.recent_values import RecentKind
from lotus_store.ledger.beliefs.trials import trials_of

TR_TRIALS = knob_scores("tr_trials")
_STYLES = RecentKind("style trials", 4)


def observed(ctx: StageContext, day: str) -> Sequence[Observation]:
    """Return the plans in knob experiments that finished on the day, and the windows tried in a style that matured."""
    with ctx.databases.connect(Module.TR.value) as connection:
        plans = trials_of(connection, ctx.branch, day)
    return [*plans, *_styles(ctx, day)]


def keys() -> Mapping[str, str]:
    """Return the knobs of execution by owner."""
    return owners()


def _styles(ctx: StageContext, day: str) -> Sequence[Observation]:
    """Return the windows tried in a style; none, and nothing is read, where none are."""
    shares, seed = ctx.settings.trading.entry_shares, ctx.manifest.score.seed
    if not any(shares):
        return ()
    made = content_of(ctx, ctx.branch, day, STYLE_PAYOFFS.name)

    def drawn() -> tuple[Observation, ...]:
        table = ctx.lake.read(STYLE_PAYOFFS.name, ctx.branch, day)
        events = read_events(ctx, day, ("event_id", *BIN_COLUMNS))
        rows = np.flatnonzero(np.isin(events["event_id"].astype(str), table["event_id"].astype(str)))
        bins = np.stack([np.asarray(events[name])[rows] for name in BIN_COLUMNS], axis=1).tolist()
        names = np.asarray(events["event_id"])[rows].tolist()
        contexts = {name: context_text(own) for name, own in zip(names, bins, strict=True)}
        return tuple(style_observations(table, contexts, shares, seed))

    return ctx.recent.get(_STYLES, (ctx.branch, day, made, *map(str, shares), str(seed)), drawn)


LANE = KnobLane(Module.TR, TR_TRIALS, observed, keys)
TRIALS, LESSONS, BRAIDS = LANE.stages()
