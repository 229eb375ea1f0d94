"""What a detector proposes is watched as it was written, live and in batch."""

import sys
from pathlib import Path

import pytest

from lotus.detectors.registry import known_detectors
from lotus.detectors.spec_triggers import suggested
from lotus.triggers.checker import read_trigger

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "chaos")]

import trigger_watches  # noqa: E402


def test_breakouts_wait_for_their_side() -> None:
    proposing = {d.detector_id: d for d in known_detectors() if d.triggers}
    lookbacks = {"breakout_retest": 3, "compressed_range": 30}
    assert proposing.keys() == lookbacks.keys()
    assert {d.status for d in proposing.values()} == {"active", "experimental"}
    for name, spec in proposing.items():
        for signal, side in ((0.5, "up"), (-0.5, "down")):
            (text,) = suggested(spec.triggers, signal)
            assert read_trigger(text) == read_trigger(f"breakout(lookback={lookbacks[name]}, side={side}, bar=10s)")


def test_random_triggers_are_watched_live_as_in_batch() -> None:
    tally = trigger_watches.run(60, seed=3)
    assert tally["fired"] > 10
    assert 0 < tally["of a detector's file"] < 60


def test_a_watch_that_differs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trigger_watches, "travelled", lambda text: ("mid > 1", True))
    with pytest.raises(AssertionError, match="seed"):
        trigger_watches.run(60, seed=3)
