"""The frozen tables of scored days as documents of the lake: one per branch and day, beside the events they scored.

Whoever wants tables asks here: the daemon for those of its day, batch and `explain` for those that an event names.
What stands in a table is `lotus.detectors.daytables`.
"""

from collections.abc import Container, Iterator

from lotus.detectors.daytables import DayTables, tables_from_json, tables_to_json
from lotus.errors import LakeError
from lotus_store.lake import Lake

_DOCUMENT = "day_tables"
_SCORED = "signal_events"


def write_day_tables(lake: Lake, branch: str, tables: DayTables) -> None:
    """Store the tables of their day; to be called before the events that they scored are written."""
    lake.write_document(_DOCUMENT, branch, tables.day, tables_to_json(tables).decode())


def read_day_tables(
    lake: Lake, branch: str, until: str = "9999-12-31", skip: Container[str] = ()
) -> Iterator[DayTables]:
    """Yield the tables of the branch's scored days up to and with `until`, newest first, except days in `skip`."""
    for day in reversed(lake.days(_SCORED, branch)):
        if day <= until and day not in skip:
            yield tables_from_json(lake.read_document(_DOCUMENT, branch, day))


def tables_of_day(lake: Lake, branch: str, day: str) -> DayTables:
    """Return the tables under which a day was scored; raises `LakeError` when they are not there."""
    found = next(read_day_tables(lake, branch, day), None)
    if found is None or found.day != day:
        raise LakeError(f"no day tables of {day} on {branch}", "those written with signal_events", "a pruned lake")
    return found
