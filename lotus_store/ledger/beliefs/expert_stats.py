"""Weekly judgements of micro-experts in the sig database: rows per expert and asset, and the registry's reliability.

Nothing is decided here.
"""

from collections.abc import Sequence

from lotus.experts.weekly.evaluation import ExpertStat
from lotus_store.postgres.queries import Connection, query


def write_expert_stats(
    connection: Connection, branch: str, day: str, stats: Sequence[ExpertStat], proposal: str
) -> None:
    """Replace the judgement of a branch and day, and note the reliabilities in the registry unless a later one did."""
    with connection.cursor() as cursor:
        cursor.execute(query("sig", "clear_expert_stats"), [branch, day])
        for s in stats:
            r = s.found
            cursor.execute(
                query("sig", "put_expert_stat"),
                [branch, day, s.expert_id, s.asset, s.spec_id, r.calls, r.mean, r.low, r.high, s.run, s.twin, s.weight,
                 s.proposed, s.status, proposal],
            )  # fmt: skip
            if s.asset == "":
                judged = [r.wins, r.losses, r.mean, r.low, r.high, day, s.expert_id, s.spec_id, day]
                cursor.execute(query("sig", "judge_expert"), judged)


def runs_below_floor(connection: Connection, branch: str, day: str) -> dict[str, int]:
    """Return how many evaluations in turn each expert was below its floor, after the last judgement before `day`."""
    rows = connection.execute(query("sig", "runs_below_floor"), {"branch": branch, "day": day})
    return {str(name): int(str(run)) for name, run in rows}


def slowest_expert_ns(connection: Connection, branch: str) -> float | None:
    """Return the p95 of the slowest expert in the newest measurement, ns a frame; None before the first."""
    row = connection.execute(query("sig", "slowest_expert"), {"branch": branch}).fetchone()
    return None if row is None or row[0] is None else float(row[0])
