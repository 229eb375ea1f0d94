"""Each accepted lesson at every evaluated horizon: its published windows of the search window, described.

Read only on a nightly run that accepts something. The published probability is (1 + |s|) / 2, s the strength of the
signal. The figures are `lotus.learning.horizons`.
"""

from collections.abc import Sequence

import numpy as np

from lotus.learning.horizons import HorizonStats, horizon_stats
from lotus.learning.lesson import Lesson
from lotus.learning.payoff_scores import bins_of
from lotus.outcomes.signal_eval import horizon_columns
from lotus.priors.vocabulary import rule_mask
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.lake_tables import Columns, LakeTable, utf8_of
from lotus_assets.stages.learning.asset_context import scores_in_context, vocabulary
from lotus_assets.stages.scoring.signal_eval import read_events
from lotus_store.columns import concatenated, places_of
from lotus_store.ledger.day_commits import DayCommit


def lesson_horizons(
    ctx: StageContext, scored: Sequence[DayCommit], lessons: Sequence[Lesson]
) -> dict[str, tuple[HorizonStats, ...]]:
    """Return the horizon figures of lessons by their names; `scored`: the days that the nightly run read."""
    if not lessons:
        return {}
    horizons = ctx.manifest.outcomes.horizons_s
    days = [_published(ctx, commit, horizons) for commit in scored]
    windows = concatenated(days)
    windows["asset"] = utf8_of(windows["asset"])
    out, bins = {}, bins_of(windows, vocabulary(ctx))
    for lesson in lessons:
        covered = (windows["detector_id"] == lesson.detector_id) & rule_mask(lesson.rule, bins)
        out[lesson.lesson_id] = horizon_stats({k: v[covered] for k, v in windows.items()}, horizons)
    return out


def _published(ctx: StageContext, commit: DayCommit, horizons: Sequence[int]) -> LakeTable:
    """Return the published windows of one maturity day with outcomes at every horizon, bins and probability."""
    scores = scores_in_context(ctx, commit)
    taken = np.asarray(scores["published"], dtype=np.bool_)
    names = tuple(column.name for h in horizons for column in horizon_columns(h))
    outcomes = ctx.lake.read("signal_eval", ctx.branch, commit.day, columns=("event_id", *names))
    events = read_events(ctx, commit.day, ("event_id", "s"))
    wanted = np.asarray(scores["event_id"])[taken]
    strength = np.abs(_matched(events, wanted)["s"].astype(np.float64))
    out = {name: np.asarray(values)[taken] for name, values in scores.items()}
    return out | _matched(outcomes, wanted) | {"probability": (1.0 + np.minimum(strength, 1.0)) / 2.0}


def _matched(table: Columns, wanted: np.ndarray) -> LakeTable:
    places = places_of(wanted, np.asarray(table["event_id"]))
    return {name: np.asarray(values)[places] for name, values in table.items()}
