"""What braids claimed, and what the decision-maker made of it, is told for every event in which they fired."""

import numpy as np
import pytest

from lotus.decision.allocation.covariance import Covariance
from lotus.decision.knowledge.calibration import Cell, ScoreCalibration
from lotus.decision.knowledge.claims import ClaimSlope
from lotus.decision.knowledge.feedback import DecisionMemory
from lotus.priors.claims import FiredClaim
from lotus.timebase import day_start_ms
from lotus_store.databases import Databases
from lotus_store.facts.claims import claims_lines, claims_story
from lotus_store.ledger.trading.knowledge import Knowledge, put_knowledge

SOURCE = "det:sr@1"
EVENT = {
    "branch": "main", "event_id": "e", "detector_id": "sr", "spec_version": 1, "asset": "BTC", "horizon_s": 300,
    "s": -0.8, "ln_sigma_tilde": 0.0, "window_end_ms": day_start_ms("2026-03-04") + 5000, "b_vol": 255,
}  # fmt: skip
FIRED = (FiredClaim("a", 3.0, 1), FiredClaim("b", 1.0))


def night(slope: float) -> Knowledge:
    cell = Cell((SOURCE, 300, ""), (0.0, 1.0), (2.0, 2.0), 9.0, 300.0, 300.0)
    return Knowledge(
        "2026-03-03", ScoreCalibration("2026-03-04", (cell,), 100.0, "v"), DecisionMemory(),
        Covariance((), np.zeros((0, 0)), 60.0, 1, 0.1, 0), {},
        claims=(ClaimSlope(SOURCE, 300, 1, slope, slope, 0.1, 20, 99),),
    )  # fmt: skip


@pytest.mark.parametrize(("slope", "promise"), [(0.5, -3.5), (0.0, -1.5)])
def test_claim_slope_and_what_they_did_are_told(databases: Databases, slope: float, promise: float) -> None:
    with databases.connect("dm") as dm:
        put_knowledge(dm, "main", night(slope))
    story = claims_story(databases, EVENT, FIRED)
    assert story is not None
    assert (story["claim_bps"], story["level"], story["slope"]) == (4.0, 1, slope)
    assert (story["promise_of_score_bps"], story["promise_bps"]) == (-1.5, promise)
    text = "\n".join(claims_lines(story))
    assert f"+4.00 bps at level 1; the decision-maker counts {slope:.3f} of it" in text
    assert f"promise -1.50 bps by score, {promise:+.2f} bps in all" in text


def test_where_nothing_is_known_or_nothing_fired_it_is_said(databases: Databases) -> None:
    story = claims_story(databases, EVENT, FIRED)
    assert story is not None
    assert story["promise_bps"] is None
    assert "it knew nothing of this source" in claims_lines(story)[1]
    assert claims_story(databases, EVENT, ()) is None
    assert claims_lines(None) == []
