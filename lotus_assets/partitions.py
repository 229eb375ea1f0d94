"""Partitions of every asset (UTC days) and the belief edge between days.

Only time arithmetic of Dagster belongs here. `priors_in_force[d]` means "from the swap of day d (02:00 UTC) to the
next one", so a day d of scoring leans on the beliefs of d-1 (until the swap) and of d (after it). `signal_eval[d]` also
reads events and tape of d-1; that edge is not drawn, because a backfill of a range would then ask for the day after it.
"""

import warnings

import dagster as dg

from lotus.timebase import next_day
from lotus_resources.span import span_of_environment

SPAN = span_of_environment()


def _days(first: str, last: str) -> dg.DailyPartitionsDefinition:
    """Return the days from `first` to `last`, or on where that is empty."""
    if not last:
        return dg.DailyPartitionsDefinition(start_date=first, timezone="UTC", end_offset=1)
    return dg.DailyPartitionsDefinition(start_date=first, end_date=next_day(last), timezone="UTC")


DAILY = _days(SPAN.first, SPAN.last)
# What a day teaches is in force from the swap of the day after it: on the first day nothing learned is.
BELIEF_DAYS = _days(next_day(SPAN.first), SPAN.last and next_day(SPAN.last))
SAME_DAY = dg.TimeWindowPartitionMapping()
with warnings.catch_warnings():
    warnings.simplefilter("ignore", dg.BetaWarning)  # the parameter is beta; the version is pinned
    DAY_AND_BEFORE = dg.TimeWindowPartitionMapping(start_offset=-1, allow_nonexistent_upstream_partitions=True)
EDGES = {"same_day": SAME_DAY, "day_and_before": DAY_AND_BEFORE}
