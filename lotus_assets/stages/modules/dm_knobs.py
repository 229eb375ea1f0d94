"""dm_trials, dm_lessons, dm_braids: what the decision-maker learns of its policy from windows that tried a knob of it.

A window comes out on the day on which its horizon ends, which may be a later one than that of its decision.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from lotus.decision.knowledge.nightly import Mids
from lotus.decision.policy.experiments import PolicyExperiment, observation_of
from lotus.decision.policy.policy import PREFIX, shipped_policy
from lotus.hashing import natural_id
from lotus.knobs.rows import Observation, knob_scores
from lotus.modules.intents import Module
from lotus.timebase import day_of
from lotus_assets.stages.chain import content_of
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.modules.knob_lane import KnobLane
from lotus_resources.recent_values import RecentKind
from lotus_store.columns import concatenated
from lotus_store.ledger.beliefs.policy_trials import policy_trials_of
from lotus_store.ledger.bodies import to_body
from lotus_store.ledger.day_commits import read_commit

DM_TRIALS = knob_scores("dm_trials")
FRAMES = "microtape_frames"
_MEASURED = RecentKind("measured trials", 4)


def observed(ctx: StageContext, day: str) -> Sequence[Observation]:
    """Return the windows in knob experiments whose horizon ended on the day, valued by the frames at both ends.

    Raises `BeliefError` when the day's frames are not there.
    """
    with ctx.databases.connect(Module.DM.value) as connection:
        experiments = policy_trials_of(connection, ctx.branch, day)
    owners = keys()
    rows = [row for row in experiments if row.owner in owners]
    if not rows:
        return ()
    oldest_ms = ctx.manifest.kernel.gap_ms
    tape = _tape(ctx, rows, day)
    key = (natural_id(*map(to_body, rows)), str(oldest_ms), *tape, *tape.values())

    def measure() -> tuple[Observation, ...]:
        mids = _mids(ctx, rows, [*tape])
        return tuple(observation_of(row, mids, oldest_ms) for row in rows)

    return ctx.recent.get(_MEASURED, key, measure)


def keys() -> Mapping[str, str]:
    """Return the knobs of the policy by owner."""
    policy = shipped_policy()
    return {policy.owner_of(name): PREFIX + name for name, _ in policy.knobs}


def _tape(ctx: StageContext, rows: Sequence[PolicyExperiment], day: str) -> dict[str, str]:
    """Return the committed days whose frames may stand at an end of a window's horizon, with the content's hash."""
    ages = (0, ctx.manifest.kernel.gap_ms)
    days = {day_of(end - age) for row in rows for end in (row.time_ms, row.matures_ms) for age in ages}
    digests = {day: content_of(ctx, ctx.tape_branch, day, FRAMES)}
    for other in days - {day}:
        commit = read_commit(ctx.sig, ctx.tape_branch, other, FRAMES)
        if commit is not None:
            digests[other] = commit.content_hash
    return dict(sorted(digests.items()))


def _mids(ctx: StageContext, rows: Sequence[PolicyExperiment], days: Sequence[str]) -> Mids:
    coins = {asset.name for asset in ctx.manifest.universe}
    mids = {}
    for coin in sorted({leg.coin for row in rows for leg in row.legs} & coins):
        columns = ("end_ms", "mid")
        table = concatenated([ctx.lake.read(FRAMES, ctx.tape_branch, d, coin, columns=columns) for d in days])
        mid = table["mid"].astype(np.float64)
        is_known = np.isfinite(mid)
        mids[coin] = (table["end_ms"].astype(np.int64)[is_known], mid[is_known])
    return mids


LANE = KnobLane(Module.DM, DM_TRIALS, observed, keys)
TRIALS, LESSONS, BRAIDS = LANE.stages()
