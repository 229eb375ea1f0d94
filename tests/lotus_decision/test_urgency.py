"""How soon a target should be reached follows from the newest cues of its coin, and moves nothing that is expected."""

from dataclasses import replace

import pytest
from states import cue, decided, desk, view

from lotus.decision.alphas import CueInput
from lotus.decision.ticket import ticket_of
from lotus.decision.urgency import Urgency, asymmetry_of

THIN = (("Z_D", 2.5), ("Z_OI", 1.0))


@pytest.mark.parametrize(
    ("cues", "urgency"),
    [
        (cue("BTC", 0.7, 0.5, 0.7), Urgency.IMMEDIATE),
        (replace(cue("BTC", 0.8, 0.6, 0.9), components=THIN), Urgency.IMMEDIATE),
        (replace(cue("BTC", 0.8, 0.4, 0.9), components=THIN), Urgency.ICEBERG),
        (replace(cue("BTC", None, 0.9, 0.9), components=THIN), Urgency.ICEBERG),
        (cue("BTC", 0.8, None, 0.9), Urgency.PATIENT),
        (cue("BTC", 0.8, 0.6, 0.6), Urgency.PATIENT),
    ],
)
def test_the_hint_follows_score_timing_step_and_depth(cues: CueInput, urgency: Urgency) -> None:
    found = asymmetry_of([cues])
    assert found is not None
    assert (found.urgency, found.score, found.drivers) == (urgency, cues.asymmetry, cues.components)


def test_several_detectors_of_a_window_are_heard_as_their_mean_and_none_without_a_score() -> None:
    both = [replace(cue("BTC", kairos, 0.9, 0.8), components=THIN[:k]) for k, kairos in enumerate((0.5, 1.0), 1)]
    found = asymmetry_of(both)
    assert found is not None
    assert (found.urgency, found.drivers) == (Urgency.IMMEDIATE, THIN)
    assert asymmetry_of([cue("BTC", 0.9, 0.9, None)]) is None
    assert asymmetry_of([]) is None


def test_the_hint_stands_beside_its_target_and_changes_no_expectation() -> None:
    views = [view("BTC"), view("ETH")]
    told = ticket_of(decided(desk(), views, [cue("BTC", 0.9, 0.9, 0.9)]))["targets"]
    silent = ticket_of(decided(desk(), views))["targets"]
    assert [target.get("asymmetry", {}).get("urgency") for target in told] == ["immediate", None]
    assert told[0]["asymmetry"] == {"score": 0.9, "drivers": {}, "urgency": "immediate"}
    assert [target["mu_bps"] for target in told] == [target["mu_bps"] for target in silent]
    assert all("asymmetry" not in target for target in silent)
