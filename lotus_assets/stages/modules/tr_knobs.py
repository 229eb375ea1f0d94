"""tr_trials, tr_lessons, tr_braids: what the trader learns of its knobs.

Plans of the book that tried a knob tell what leaving cost; published windows tell what their drawn style of entry paid.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from lotus.detectors.registry import resting_entries
from lotus.hashing import natural_id
from lotus.knobs.compositions import OtherModule
from lotus.knobs.rows import Observation, knob_scores
from lotus.knobs.style_draw import drawn_style
from lotus.knobs.style_trials import Executed, style_observations
from lotus.modules.intents import Module
from lotus.outcomes.style_table import STYLE_PAYOFFS
from lotus.priors.context import context_text
from lotus.priors.vocabulary import BIN_COLUMNS
from lotus.trading.plan.knobs import owners
from lotus_assets.stages.chain import content_of, day_before
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.modules.knob_lane import KnobLane
from lotus_assets.stages.scoring.signal_eval import executions, is_in_style, read_events, source_of
from lotus_resources.recent_values import RecentKind
from lotus_store.ledger.beliefs.braids import read_registry
from lotus_store.ledger.beliefs.trials import trials_of
from lotus_store.ledger.signals.executions import Execution

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
    made, executed = content_of(ctx, ctx.branch, day, STYLE_PAYOFFS.name), executions(ctx, day)

    def drawn() -> tuple[Observation, ...]:
        table = ctx.lake.read(STYLE_PAYOFFS.name, ctx.branch, day)
        would_cross = ~np.isin(table["detector_id"].astype(str), sorted(resting_entries()))
        table = {name: values[would_cross] for name, values in table.items()}
        events = read_events(ctx, day, ("event_id", *BIN_COLUMNS))
        rows = np.flatnonzero(np.isin(events["event_id"].astype(str), table["event_id"].astype(str)))
        bins = np.stack([np.asarray(events[name])[rows] for name in BIN_COLUMNS], axis=1).tolist()
        names = np.asarray(events["event_id"])[rows].tolist()
        contexts = {name: context_text(own) for name, own in zip(names, bins, strict=True)}
        return tuple(style_observations(table, contexts, shares, seed, _executed(executed, shares, seed)))

    key = (ctx.branch, day, made, natural_id(*map(repr, executed)), *map(str, shares), str(seed))
    return ctx.recent.get(_STYLES, key, drawn)


def _executed(rows: Sequence[Execution], shares: Sequence[float], seed: int) -> Executed:
    """Return the windows that were executed in the style that is drawn for them."""
    draws = {row.event_id: drawn_style(row.event_id, shares, seed) for row in rows if not row.void}
    payoffs = {
        row.event_id: row.payoff_bps
        for row in rows
        if (draw := draws.get(row.event_id)) is not None and is_in_style(row, draw.style)
    }
    return Executed(payoffs, source_of(rows))


def other_module(ctx: StageContext, day: str) -> OtherModule | None:
    """Return what compositions across modules read of sig on a day; None, and nothing is read, where they are off.

    The registry is that of the day before: sig's own night of the day runs beside this one.
    """
    if not ctx.settings.trading.compose_styles:
        return None
    before = day_before(ctx, day)
    registry = read_registry(ctx.sig, ctx.branch, before) if before is not None else []
    if not any(ctx.settings.trading.entry_shares):
        return OtherModule(registry)
    table = ctx.lake.read(STYLE_PAYOFFS.name, ctx.branch, day, columns=("event_id", "detector_id"))
    events, detectors = (np.asarray(table[name]).tolist() for name in ("event_id", "detector_id"))
    return OtherModule(registry, dict(zip(events, detectors, strict=True)))


def other_inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """Return the hashes of what `other_module` reads, empty where compositions are off."""
    if not ctx.settings.trading.compose_styles:
        return {}
    before = day_before(ctx, day)
    digests = {} if before is None else {"sig's braids before": content_of(ctx, ctx.branch, before, "braids")}
    if any(ctx.settings.trading.entry_shares):
        digests["windows tried"] = content_of(ctx, ctx.branch, day, STYLE_PAYOFFS.name)
    return {"compositions": "on", **digests}


LANE = KnobLane(Module.TR, TR_TRIALS, observed, keys, other_module, other_inputs)
TRIALS, LESSONS, BRAIDS = LANE.stages()
