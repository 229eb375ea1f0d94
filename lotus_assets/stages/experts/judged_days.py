"""Which days the weekly judgement of the experts reads: on a Monday (UTC) the seven days before it.

What is judged is in `expert_training` and `expert_stats`.
"""

from datetime import date, timedelta

from lotus_assets.stages.context import StageContext
from lotus_store.ledger.day_commits import DayCommit, last_commits

DAYS = 7


def is_judged(day: str) -> bool:
    """Return whether a day is a Monday."""
    return date.fromisoformat(day).weekday() == 0


def judged_days(ctx: StageContext, day: str) -> list[DayCommit]:
    """Return the annotated days of the seven before `day`, oldest first."""
    first = (date.fromisoformat(day) - timedelta(days=DAYS)).isoformat()
    return [c for c in last_commits(ctx.sig, ctx.tape_branch, "dsi_annotations", day, DAYS) if first <= c.day]
