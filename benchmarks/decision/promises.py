"""How promises were kept, day by day, on a lake that a backfill has filled: calibration and reliability walked forward.

`python -m benchmarks.decision.promises --lake FOLDER --branch NAME [--days N] [--json]`. Every day is promised by the
calibration fitted on the days before it, then its outcomes are absorbed; at the end stand the scores of all promises
and each source's reliability. Nothing is tuned here.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from lotus.decision.knowledge.calibration import ScoreCalibration
from lotus.decision.knowledge.evidence import EVENT_COLUMNS, joined
from lotus.decision.knowledge.nightly import ALL_SOURCES, DaySums, Mids, evidence_of, learn
from lotus.decision.knowledge.reliability import SourceReliability
from lotus.decision.policy.policy import shipped_policy
from lotus_store.lake import Lake

MOVE = "fwd_ret_bps_"


def evidence_on(
    lake: Lake, branch: str, day: str, days: Sequence[str], fitted: Mapping[str, ScoreCalibration]
) -> DaySums:
    """Return the sums of the outcomes that SIGNAL_EVAL of a day tells of; prices are left out."""
    evaluated = lake.read("signal_eval", branch, day)
    horizons = tuple(sorted(int(name.removeprefix(MOVE)) for name in evaluated if name.startswith(MOVE)))
    near = days[max(days.index(day) - 1, 0) : days.index(day) + 1]
    events = joined(lake.read("signal_events", branch, d, columns=EVENT_COLUMNS) for d in near)
    no_prices: Mids = {"": (np.zeros(0, dtype=np.int64), np.zeros(0))}
    return evidence_of(day, events, evaluated, horizons, fitted, no_prices, {})


def walk(lake: Lake, branch: str, most: int) -> dict[str, Any]:
    """Return what was promised and kept over the first `most` days of a branch."""
    policy, days = shipped_policy(), lake.days("signal_eval", branch)[:most]
    past: dict[str, DaySums] = {}
    fitted: dict[str, ScoreCalibration] = {}
    known: tuple[SourceReliability, ...] = ()
    for day, later in zip(days, [*days[1:], ""], strict=True):
        past[day] = evidence_on(lake, branch, day, days, fitted)
        learned = learn(day, past, known, policy)
        known, fitted[later] = learned.reliabilities, learned.calibration
    quality = {(q.source, q.horizon_s): q.found for q in learned.quality}.get(ALL_SOURCES)
    return {
        "branch": branch,
        "days": len(days),
        "outcomes": sum(int(one.outcomes["n"].sum()) for one in past.values()),
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
