"""The pulse of a desk: beats at most every fifth of a second, the longest delay in between, and an end in order."""

from pathlib import Path

import pytest

from lotus_desk.safety import heartbeat
from lotus_desk.safety.heartbeat import Pulse
from lotus_store.processes import boot_id


def test_a_beat_tells_the_longest_delay_since_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "live").mkdir()
    pulse = Pulse(tmp_path)
    assert pulse.read() is None
    seen = []
    for second in (100.0, 100.05, 100.15, 100.2, 100.25, 100.3):
        monkeypatch.setattr(heartbeat.time, "monotonic", lambda second=second: second)
        pulse.turned(0.05, 1.5)
        beat = pulse.read()
        assert beat is not None
        seen.append((beat.turned_s, round(beat.lag_s, 9)))
    assert seen == [(100.0, 0.0)] * 3 + [(100.2, 0.05)] * 3, "told at once, then every fifth of a second"
    assert beat.data_age_s == 1.5


def test_a_beat_of_another_start_of_the_machine_is_for_ever_ago_and_an_end_is_told(tmp_path: Path) -> None:
    (tmp_path / "live").mkdir()
    pulse = Pulse(tmp_path)
    pulse.turned(1.0, 0.0)
    beat = pulse.read()
    assert beat is not None
    assert beat.age_s(beat.turned_s + 2.0, boot_id()) == 2.0
    assert beat.age_s(beat.turned_s + 2.0, "another start") == float("inf")
    assert not beat.is_over
    pulse.over()
    ended = pulse.read()
    assert ended is not None
    assert ended.is_over
