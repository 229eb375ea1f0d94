"""Lists of segments in the sig database, by the day from which they hold; what stands is never changed.

A Monday that is made again leaves the list that it put there first, so the labels of a day stay what they were.
"""

from typing import Any

from lotus.detectors.daily.segment_set import SegmentSet
from lotus.errors import LedgerError
from lotus_store.ledger.bodies import to_body
from lotus_store.postgres.queries import Connection, query


def put_segments(connection: Connection, branch: str, made: SegmentSet) -> None:
    """Put a list in force from its day on, unless one holds from that day already."""
    texts = to_body(dict(zip(made.assets, made.texts, strict=True)))
    body = to_body({"assets": made.assets, "states": made.states, "bic": made.bic, "shares": made.shares})
    connection.execute(query("sig", "put_segments"), [
        branch, made.from_day, made.judged_day, made.set_ver, made.origin, texts, made.agreement, body
    ])  # fmt: skip


def segments_on(connection: Connection, branch: str, day: str) -> SegmentSet | None:
    """Return the list in force on a day, None before one was made.

    Raises `LedgerError` for a row that does not hash to its name.
    """
    row = connection.execute(query("sig", "segments_on"), [branch, day]).fetchone()
    return None if row is None else _set(row)


def segment_sets(connection: Connection, branch: str) -> list[SegmentSet]:
    """Return every list of a branch, oldest first; raises as `segments_on`."""
    return [_set(row) for row in connection.execute(query("sig", "segment_sets"), [branch]).fetchall()]


def _set(row: tuple[Any, ...]) -> SegmentSet:
    from_day, judged_day, set_ver, origin, texts, agreement, body = row
    assets = tuple(body["assets"])
    found = SegmentSet(
        from_day, judged_day, assets, tuple(tuple(texts[name]) for name in assets), float(agreement), origin,
        int(body["states"]), tuple(map(float, body["bic"])), tuple(map(float, body["shares"])),
    )  # fmt: skip
    if found.set_ver != set_ver:
        raise LedgerError(f"segments of {from_day} hash to {found.set_ver}", str(set_ver), "an altered row")
    return found
