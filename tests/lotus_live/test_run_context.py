"""The next window and the files of a run."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tapes import MANIFEST, UNIVERSE

from lotus.detectors.registry import shipped_detectors
from lotus_live.pipeline.day_lane import LaneSpec
from lotus_live.run_context import RunContext


def context(run_id: str) -> RunContext:
    """Return a run of a home that is nowhere."""
    home: Any = SimpleNamespace(home=Path("home"))
    nothing: Any = None
    return RunContext(home, nothing, LaneSpec(MANIFEST, UNIVERSE, shipped_detectors(), "main"), run_id)


def test_the_next_window_ends_after_the_stamp() -> None:
    window_ms = MANIFEST.kernel.window_ms
    ends = [context("r").next_window_ms(ms * 10**6) for ms in (0, window_ms - 1, window_ms)]
    assert ends == [window_ms, window_ms, 2 * window_ms]


def test_each_run_has_a_mark_of_its_own_and_all_share_the_status() -> None:
    one, other = context("one"), context("other")
    assert one.mark_path != other.mark_path
    assert one.status_path == other.status_path == Path("home/live/status.json")
