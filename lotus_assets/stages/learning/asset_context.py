"""What the learning stages see of windows: the twelve bins, and the coin or the segment where one is context."""

from collections.abc import Sequence

from lotus.errors import BeliefError
from lotus.priors.asset_context import describe_with, is_about_asset, words_of
from lotus.priors.segment_context import SEGMENT_WORDS, search_words
from lotus.priors.types import Rule
from lotus.priors.vocabulary import DEFAULT, Vocabulary
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.lake_tables import Columns
from lotus_assets.stages.scoring.payoff_scores import read_scores
from lotus_store.asset_context import with_asset_bins
from lotus_store.day_tables import tables_of_day
from lotus_store.ledger.day_commits import DayCommit


def vocabulary(ctx: StageContext) -> Vocabulary:
    """Return the features that lessons of this home may speak of."""
    return search_words(ctx.manifest)


def check_place(ctx: StageContext, believed: Sequence[Rule], before: str | None) -> None:
    """Raise `BeliefError` while a belief speaks of the thirteenth feature and that is not what it was learned about.

    What it was is known by the tables of the day before, which hold lists where segments were context.
    """
    spoken = [rule for rule in believed if is_about_asset(rule)]
    if not spoken or before is None:
        return
    was_segments = bool(tables_of_day(ctx.lake, ctx.branch, before).segments)
    learning = ctx.manifest.learning
    if learning.segment_context if was_segments else learning.asset_context:
        return
    name, what = ("segment_context", "a segment") if was_segments else ("asset_context", "a coin")
    words = SEGMENT_WORDS if was_segments else words_of(ctx.manifest.universe)
    raise BeliefError(
        f"learning.{name} is off and {describe_with(spoken[0], words)!r} is believed",
        f"true until no belief speaks of {what}",
        "it was on when that was learned",
    )


def in_context(ctx: StageContext, windows: Columns) -> Columns:
    """Return columns of windows with those of `vocabulary`; unchanged where neither coins nor segments are context."""
    if vocabulary(ctx) is DEFAULT:
        return windows
    return with_asset_bins(ctx.lake, ctx.branch, ctx.manifest, windows)


def scores_in_context(ctx: StageContext, commit: DayCommit) -> Columns:
    """Return the scores of a committed day in context; do not write into the arrays."""
    return in_context(ctx, read_scores(ctx, commit))
