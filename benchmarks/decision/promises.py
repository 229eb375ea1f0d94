"""How promises were kept, day by day, on a lake that a backfill has filled: calibration and reliability walked forward.

`python -m benchmarks.decision.promises --lake FOLDER --branch NAME [--days N] [--json]`. Every day is promised by the
calibration fitted on the days before it, then its outcomes are absorbed; at the end stand the scores of all promises
and each source's reliability. Nothing is tuned here.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus.decision.calibration import Outcome, calibrate, with_promises
from lotus.decision.evidence import outcomes_of
from lotus.decision.policy import shipped_policy
from lotus.decision.reliability import Reliability, forecast_quality, updated
from lotus_store.lake import Lake

EVENTS = (
    "event_id", "detector_id", "asset", "spec_version", "horizon_s", "window_end_ms", "s", "ln_sigma_tilde", "eligible",
)  # fmt: skip
MOVE = "fwd_ret_bps_"


def outcomes_on(lake: Lake, branch: str, day: str, days: Sequence[str]) -> list[Outcome]:
    """Return the outcomes that SIGNAL_EVAL of a day tells of, windows of that day and of the one before it."""
    evaluated = lake.read("signal_eval", branch, day)
    horizons = tuple(sorted(int(name.removeprefix(MOVE)) for name in evaluated if name.startswith(MOVE)))
    near = days[max(days.index(day) - 1, 0) : days.index(day) + 1]
    kept = [d for d in near if lake.exists("signal_events", branch, d)]
    parts = [lake.read("signal_events", branch, d, columns=EVENTS) for d in kept]
    events: dict[str, NDArray[np.generic]] = {name: np.concatenate([part[name] for part in parts]) for name in EVENTS}
    return outcomes_of(events, evaluated, horizons)


def walk(lake: Lake, branch: str, most: int) -> dict[str, Any]:
    """Return what was promised and kept over the first `most` days of a branch."""
    policy, days = shipped_policy(), lake.days("signal_eval", branch)[:most]
    past: list[Outcome] = []
    known: tuple[Reliability, ...] = ()
    for day in days:
        fitted = calibrate([o for o in past if o.matured_day < day], day, policy.calibration)
        past += with_promises(outcomes_on(lake, branch, day, days), {day: fitted})
        known = updated(known, [o for o in past if o.matured_day == day], day, policy.reliability)
    quality = forecast_quality(past)
    return {
        "branch": branch,
        "days": len(days),
        "outcomes": len(past),
        "quality": asdict(quality) if quality else None,
        "reliability": [[r.source, r.horizon_s, r.value, r.promises] for r in known],
    }


def main() -> None:
    """Walk a branch and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lake", type=Path, required=True)
    parser.add_argument("--branch", required=True)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    given = parser.parse_args()
    found = walk(Lake(given.lake), given.branch, given.days)
    if given.json or not found["quality"]:
        print(json.dumps(found))
        return
    quality = found["quality"]
    print(
        f"{found['days']} days, {found['outcomes']} outcomes, {quality['count']} promised; slope {quality['slope']:.3f}"
    )
    print(f"Brier {quality['brier']:.5f} (always the share of hits: {quality['brier_base']:.5f})")
    print(f"log score {quality['log_score']:.5f} ({quality['log_base']:.5f})")
    for b in quality["curve"]:
        interval = f"[{b['hit_low']:.3f}, {b['hit_high']:.3f}]"
        hits = f"hits promised {b['promised_p']:.3f} found {b['hit_share']:.3f} {interval}"
        print(f"  {b['count']:6} {hits}  bps promised {b['promised_bps']:7.3f} found {b['realised_bps']:7.3f}")
    for source, horizon, value, promises in found["reliability"]:
        print(f"  {source} at {horizon} s: reliability {value:.3f} after {promises} promises")


if __name__ == "__main__":
    main()
