"""What the learning stages see of windows: the twelve bins, and the group of the coin where coins are context."""

from lotus.priors.asset_context import vocabulary_of
from lotus.priors.vocabulary import DEFAULT, Vocabulary
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.lake_tables import Columns
from lotus_assets.stages.scoring.payoff_scores import read_scores
from lotus_store.asset_context import with_asset_bins
from lotus_store.ledger.day_commits import DayCommit


def vocabulary(ctx: StageContext) -> Vocabulary:
    """Return the features that lessons of this home may speak of."""
    return vocabulary_of(ctx.manifest)


def in_context(ctx: StageContext, windows: Columns) -> Columns:
    """Return columns of windows with those of `vocabulary`; unchanged where coins are no context."""
    if vocabulary(ctx) is DEFAULT:
        return windows
    return with_asset_bins(ctx.lake, ctx.branch, ctx.manifest, windows)


def scores_in_context(ctx: StageContext, commit: DayCommit) -> Columns:
    """Return the scores of a committed day in context; do not write into the arrays."""
    return in_context(ctx, read_scores(ctx, commit))
