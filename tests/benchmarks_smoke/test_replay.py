"""The benchmark of a replay runs on minutes of tape and names its reference. No time is asserted here."""

import pytest

from benchmarks.replay import measure

pytestmark = pytest.mark.process("a daemon replays minutes of a simulated day")


def test_a_replay_has_its_rate_beside_the_kernels() -> None:
    figures = measure(12, light=True)
    assert float(figures["messages"]) > 1_000
    assert 0 < float(figures["share_of_kernels"]) < 1
    assert figures["events_hash"]
