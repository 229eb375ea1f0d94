"""What the explorer decided and what exploring has cost, for the command line."""

from typing import Any, Final

import numpy as np

from lotus.curation.value import over_days
from lotus.governance.exploration_day import EXPLORATION_PLAN
from lotus.governance.explorer import PAST_DAYS
from lotus_store.lake import Lake

_SHOWN: Final = ("epsilon", "power", "voi_bps", "cost_bps", "windows")


def exploration_facts(lake: Lake, branch: str) -> dict[str, Any]:
    """Return the newest plan by detector, and the realised cost of 20 nights with its interval over days, bps."""
    days = lake.days(EXPLORATION_PLAN.name, branch)[-PAST_DAYS:]
    read = [lake.read(EXPLORATION_PLAN.name, branch, day, spec=EXPLORATION_PLAN) for day in days]
    realised = over_days([float(rows["realised"].sum()) for rows in read])
    gross = float(sum(rows["gross"].sum() for rows in read))
    newest = read[-1] if read else {}
    names = newest["detector_id"].tolist() if read else []
    rows = [
        {"detector_id": name, **{column: float(newest[column][k]) for column in _SHOWN}} for k, name in enumerate(names)
    ]
    budget = float(np.max(newest["budget_bps"], initial=0.0)) if read else 0.0
    share = float(np.max(newest["experiment_share"], initial=0.0)) if read else 0.0
    return {
        "day": days[-1] if days else "", "nights": len(days), "budget_bps": budget, "experiment_share": share,
        "gross_bps": gross, "realised_bps": realised.total, "realised_low": realised.low,
        "realised_high": realised.high, "detectors": rows,
    }  # fmt: skip
