"""Warming up scores a window."""

from tapes import MANIFEST, UNIVERSE

from lotus.detectors.registry import shipped_detectors
from lotus_live.feed.record import serve_recording
from lotus_live.pipeline.day_lane import LaneSpec
from lotus_live.pipeline.warm_up import warm_up

SPEC = LaneSpec(MANIFEST, UNIVERSE, shipped_detectors(), "main")


def test_warming_up_scores_a_window() -> None:
    assert warm_up(SPEC) >= 1
    assert callable(serve_recording)
