"""What holds from a window on stands in the log, and in the tape of a live daemon."""

from types import SimpleNamespace
from typing import Any

import pytest
from tapes import MANIFEST, UNIVERSE

from lotus.detectors.registry import shipped_detectors
from lotus.priors.types import priors_0
from lotus_live.announcer import Announcer
from lotus_live.pipeline.day_lane import LaneSpec

SPEC = LaneSpec(MANIFEST, UNIVERSE, shipped_detectors(), "main")
TODAY = SimpleNamespace(
    day="2026-03-04",
    scorer=SimpleNamespace(tables=SimpleNamespace(tables_ver="t"), detectors=SPEC.detectors),
    experts=SimpleNamespace(version="e"),
)


@pytest.mark.parametrize(("is_live", "today"), [(True, TODAY), (False, TODAY), (True, None)])
def test_a_version_is_announced_in_the_log_and_live_in_the_tape_once_a_day_is_open(is_live: bool, today: Any) -> None:
    controls: list[Any] = []
    notes: list[Any] = []
    context: Any = SimpleNamespace(spec=SPEC)
    pipeline: Any = SimpleNamespace(today=today, tomorrow=None, shadows=(), shadow_texts=(), vetoes=())
    recorder: Any = SimpleNamespace(control=lambda *entry: controls.append(entry))
    rows: Any = SimpleNamespace(note=lambda *entry: notes.append(entry))
    announcer = Announcer(context, recorder, pipeline, rows, lambda _: None)
    announcer.writes_controls = is_live
    announcer.announce(priors_0("main"), 10_001, 9)
    assert len(notes) == (today is not None)
    assert len(controls) == (is_live and today is not None)
    if controls:
        assert controls[0][1].window_index == -(-10_001 // MANIFEST.kernel.window_ms)
    if notes:
        kind, _, from_ms, body = notes[0]
        assert (kind, from_ms, body["priors_ver"]) == ("swap", 10_001, priors_0("main").priors_ver)
        assert "trials" not in body
