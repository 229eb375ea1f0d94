"""What a daemon left in the ledger."""

import json
from pathlib import Path

import numpy as np

from lotus.detectors.scoring.scored import Columns
from lotus.detectors.scoring.signal_spec import SIGNAL_EVENTS
from lotus_store.databases import Databases
from lotus_store.ledger.signals import live_log

DAY = "2026-03-04"


def ledger_events(databases: Databases, run_id: str, day: str = DAY) -> Columns:
    """Return the events of a day that a run left in the ledger, as columns of SIGNAL_EVENTS."""
    with databases.connect("sig") as connection:
        rows = [r for r in live_log.read_live_events(connection, "main", day) if r["run_id"] == run_id]
    columns: Columns = {}
    for name in SIGNAL_EVENTS.names:
        dtype = SIGNAL_EVENTS.numpy_dtype(name)
        values = np.array([r[name] for r in rows], dtype=np.int64 if dtype == np.uint64 else dtype)
        columns[name] = values.view(np.uint64) if dtype == np.uint64 else values
    return columns


def _running(status: Path, pid: int) -> bool:
    try:
        told = json.loads(status.read_text())
    except (OSError, ValueError):
        return False
    return bool(told["pid"] == pid and told["lines"] > 0)
