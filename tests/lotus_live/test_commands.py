"""Commands that the ledger holds: an unknown one, one without texts, and one that a replay cannot obey."""

import asyncio
from types import SimpleNamespace
from typing import Any

from tapes import MANIFEST, UNIVERSE, trial_text

from lotus.detectors.registry import shipped_detectors
from lotus_live.commands import Commands
from lotus_live.pipeline.day_lane import LaneSpec

SPEC = LaneSpec(MANIFEST, UNIVERSE, shipped_detectors(), "main")


def answer(name: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return what a replay answers."""
    context: Any = SimpleNamespace(spec=SPEC)
    taker: Any = SimpleNamespace(announcer=SimpleNamespace(writes_controls=False), pipeline=SimpleNamespace(lanes=()))
    return asyncio.run(Commands(context, Any, taker).obey(name, body))  # type: ignore[arg-type]


def test_an_unknown_command_is_answered_with_those_that_are_known() -> None:
    assert answer("resume", {}) == {"error": "unknown command 'resume'", "known": ["swap_detectors"]}


def test_a_swap_needs_texts_that_can_be_read() -> None:
    assert answer("swap_detectors", {})["error"] == "no list of texts under detectors"
    assert answer("swap_detectors", {"detectors": ["signal: ["]})["error"]


def test_a_replay_takes_no_shadow_detector() -> None:
    assert "it replays a tape" in answer("swap_detectors", {"detectors": [trial_text("slow", 10)]})["error"]
