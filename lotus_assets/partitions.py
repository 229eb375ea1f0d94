"""Partitions of every asset (UTC days) and the belief edge between days.

Only time arithmetic of Dagster belongs here. `priors_in_force[d]` means "from the swap of day d (02:00 UTC) to the
next one", so a day d of scoring leans on the beliefs of d-1 (until the swap) and of d (after it). `signal_eval[d]` also
reads events and tape of d-1; that edge is not drawn, because a backfill of a range would then ask for the day after it.
"""

import warnings

import dagster as dg

from lotus.timebase import next_day
from lotus_resources.span import span_told

SPAN = span_told()


def _days(more: int = 0) -> dg.DailyPartitionsDefinition:
    """Return the days of the span, with so many `more` after a last one that is known."""
    if not SPAN.last:
        return dg.DailyPartitionsDefinition(start_date=SPAN.first, timezone="UTC", end_offset=1)
    end = next_day(SPAN.last, 1 + more)
    return dg.DailyPartitionsDefinition(start_date=SPAN.first, end_date=end, timezone="UTC")


DAILY, BELIEF_DAYS = _days(), _days(more=1)  # what the last day teaches is in force from the swap of the day after it
SAME_DAY = dg.TimeWindowPartitionMapping()
with warnings.catch_warnings():
    warnings.simplefilter("ignore", dg.BetaWarning)  # the parameter is beta; the version is pinned
    DAY_AND_BEFORE = dg.TimeWindowPartitionMapping(start_offset=-1, allow_nonexistent_upstream_partitions=True)
EDGES = {"same_day": SAME_DAY, "day_and_before": DAY_AND_BEFORE}
