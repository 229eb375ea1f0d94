"""The trader's pre-trade estimates beside what its executions became, from stored rows; nothing is fitted here.

A plan without an estimate is counted and not measured.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from lotus.trading.estimates.executor_scores import executor_scores
from lotus.trading.estimates.hint_gain import hint_gains
from lotus.trading.estimates.predictor import MIN_HISTORY, ForecastOutcome, stored_quality
from lotus_store.ledger.trading.outcomes import FinishedPlan, rest_quality


def prediction_facts(rows: Sequence[FinishedPlan]) -> dict[str, Any]:
    """Return what was measured of a branch's plans that ended, oldest first, as plain data by venue."""
    venues = []
    for venue in sorted({row.venue for row in rows}):
        own_rows = [row for row in rows if row.venue == venue]
        history = [row.execution for row in own_rows if row.execution is not None]
        outcomes = [
            ForecastOutcome(row.execution, row.prediction, row.fitted_ms)
            for row in own_rows
            if row.execution is not None and row.prediction is not None
        ]
        quality, rest = stored_quality(outcomes, history), rest_quality(own_rows)
        venues.append(
            {
                "venue": venue,
                "finished": len(own_rows),
                "with_features": len(history),
                "measured": 0 if quality is None else quality.count,
                "quality": None if quality is None else asdict(quality),
                "at_rest": sum(execution.rested is not None for execution in history),
                "rest": None if rest is None else asdict(rest) | {"is_heard": rest.is_better},
                "hints": [asdict(one) for one in hint_gains([row.tried for row in own_rows if row.tried is not None])],
            }
        )
    scores = [asdict(one) for one in executor_scores(row.score for row in rows)]
    return {"least": MIN_HISTORY, "venues": venues, "executors": scores}
