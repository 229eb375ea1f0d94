"""What a detector reads: frame columns below frame values, below window columns, and of the closing frame."""

import pytest

from lotus.curation.columns_read import _MADE_OF, columns_read
from lotus.detectors.registry import known_detectors
from lotus.detectors.spec import DetectorSpec
from lotus.detectors.windows.row_spec import WINDOW_UNITS
from lotus.microtape.frames.spec import FLOAT_NAMES


@pytest.mark.parametrize("spec", known_detectors(), ids=lambda d: d.detector_id)
def test_every_detector_reads_something_that_exists(spec: DetectorSpec) -> None:
    found = columns_read(spec, 200, 5_000)
    assert found
    assert found <= set(FLOAT_NAMES)


def test_known_readers() -> None:
    by_name = {d.detector_id: columns_read(d, 200, 5_000) for d in known_detectors()}
    assert by_name["basis_shock"] == {"basis_bps"}
    assert by_name["funding_kink"] == {"funding_bps_h"}
    assert by_name["depth_vacuum_momentum"] == {"depth_ask_usd", "depth_bid_usd"}
    assert "sweep" in by_name["sweep_stall_reversal"]


def test_window_columns_are_made_of_frames_or_of_nothing_that_can_be_missing() -> None:
    assert set(WINDOW_UNITS) - set(_MADE_OF) == {"mx_evidence", "mx_confirm", "session", "age"}
    assert {name for names in _MADE_OF.values() for name in names} <= set(FLOAT_NAMES)
