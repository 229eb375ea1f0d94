"""Columns, types and ranges of scored windows are those of the table."""

import numpy as np

from lotus.detectors.registry import shipped_detectors
from lotus.detectors.scoring import signal_spec as spec
from lotus.hashing import natural_id

DETECTORS = shipped_detectors()


def test_columns_types_and_ranges_are_those_of_the_table(chain) -> None:
    events = chain.events[12]
    assert tuple(events) == spec.SIGNAL_EVENTS.names
    for column in spec.SIGNAL_EVENTS.columns:
        values = events[column.name]
        assert values.dtype == spec.SIGNAL_EVENTS.numpy_dtype(column.name), column.name
        if column.dtype == "f8":
            known = values[np.isfinite(values)]
            assert column.nullable or len(known) == len(values), column.name
            assert column.low is None or known.min() >= column.low, column.name
            assert column.high is None or known.max() <= column.high, column.name
    keys = list(zip(events["window_end_ms"], events["asset"], events["detector_id"], strict=True))
    assert keys == sorted(set(keys))
    row = 777
    parts = (
        "main",
        events["detector_id"][row],
        DETECTORS[0].version,
        events["asset"][row],
        int(events["window_start_ms"][row]),
    )
    assert events["event_id"][row] == natural_id(*parts)
    assert len(set(events["event_id"])) == len(events["event_id"])
