"""How well each venue executes each strategy, from reports: what the decision-maker weighs authority with.

The mean adherence is shrunk towards 1/2 by `PRIOR_REPORTS` imagined reports, so one lucky execution earns little trust.
The share that came to its end as planned is the venue's past success. (Literature: empirical Bayes shrinkage.)
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

PRIOR_REPORTS = 10.0
NEUTRAL = 0.5
SUCCESS = ("filled",)
DUE = ("filled", "partial", "failed")


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """Shrunk adherence and success in [0, 1] of one venue and strategy, over `reports` executions that were due."""

    venue: str
    strategy: str
    reports: int
    adherence: float
    success_rate: float


def executor_scores(reports: Iterable[Mapping[str, Any]]) -> tuple[TrackRecord, ...]:
    """Return the scores of every venue and strategy in the latest revision of each report, by name.

    Plans whose entry never came due (expired, cancelled) say nothing of the executor and do not count.
    """
    latest: dict[str, Mapping[str, Any]] = {}
    for report in reports:
        before = latest.get(report["execution_id"])
        if before is None or report["revision"] >= before["revision"]:
            latest[report["execution_id"]] = report
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for report in latest.values():
        if report["status"] in DUE:
            groups[report["venue"], report["strategy"]].append(report)
    return tuple(
        TrackRecord(
            venue,
            strategy,
            len(rows),
            _shrunk(sum(r["adherence"] for r in rows), len(rows)),
            _shrunk(sum(r["status"] in SUCCESS and not r["alarms"] for r in rows), len(rows)),
        )
        for (venue, strategy), rows in sorted(groups.items())
    )


def _shrunk(total: float, count: int) -> float:
    return (total + PRIOR_REPORTS * NEUTRAL) / (count + PRIOR_REPORTS)
