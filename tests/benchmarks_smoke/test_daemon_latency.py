"""The latency measurement itself: every frame is sent, scored and read, and no time runs backwards."""

from pathlib import Path

import pytest
from tapes import MANIFEST, UNIVERSE, in_order, market, write

from benchmarks.daemon_latency import measure_latency
from lotus.detectors.registry import shipped_detectors
from lotus_live.feed.tape_file import TapeFile
from lotus_live.pipeline.day_lane import LaneSpec


@pytest.mark.process("a server and a feed over wall time")
def test_it_measures_scores_and_floor(tmp_path: Path) -> None:
    path = write(tmp_path / "tape.txt", in_order(market("2026-03-04", "09:00", 30, step_ms=500)))
    spec = LaneSpec(MANIFEST, UNIVERSE, shipped_detectors(), "main")
    report = measure_latency(TapeFile((path,)), spec, frames=200, pause_us=200)
    assert report.frames == 200
    assert 0 < report.handler_p50 < report.asleep_p50 <= report.asleep_p99
    assert 0 < report.spinning_handler_p50 < report.spinning_p50 <= report.spinning_p99
    assert 0 < report.floor_p50 <= report.floor_p99
