"""What the coins of live shards closed, window by window, for the cross-asset terms of the others: a few minutes of it.

What a shard read of this table stands in its tape, so nothing here has to last. What a row means is
`lotus.detectors.scoring.others`.
"""

from collections.abc import Sequence
from typing import Final

from lotus.detectors.scoring.others import ClosedWindow
from lotus_store.postgres.queries import Connection, query

KEPT_MS: Final = 600_000


def put_windows(connection: Connection, branch: str, windows: Sequence[tuple[int, ClosedWindow]]) -> None:
    """Write (window end, what closed) of a shard's coins, and forget what they closed long before."""
    rows = [[branch, end, w.asset, w.phase_cos, w.phase_sin, w.ups, w.downs] for end, w in windows]
    with connection.cursor() as cursor:
        cursor.executemany(query("sig", "put_shard_windows"), rows)
    oldest_ms = max(end for end, _ in windows) - KEPT_MS
    names = sorted({w.asset for _, w in windows})
    connection.execute(query("sig", "forget_shard_windows"), [branch, names, oldest_ms])


def read_windows(connection: Connection, branch: str, end_ms: int, names: Sequence[str]) -> list[ClosedWindow]:
    """Return what these coins closed at `end_ms`, those of which it is there, by name."""
    rows = connection.execute(query("sig", "read_shard_windows"), [branch, end_ms, list(names)])
    return [ClosedWindow(*row) for row in rows]
