"""An expert that costs much and says nothing, or harms, is named; one that is cheap, useful or on the bench is not."""

from dataclasses import replace

import pytest

from lotus.governance.credit.credit_summary import ExpertCredit
from lotus.governance.expert_cost import ExpertCost
from lotus_store.facts.brief.experts import experts_line

COST = ExpertCost("cheap", "s", 3, 100.0, 50.0, 90.0, 110.0, 31)
COSTS = [COST, replace(COST, expert_id="usual"), replace(COST, expert_id="dear", cost_ns=300.0)]
SILENT = ExpertCredit("", "", "dear", True, 0.3, 1_200, 7, 0.0, 0.0, 0.0, 0.0, None, None, None, None)


@pytest.mark.parametrize(
    ("credit", "words"),
    [
        (SILENT, "dear costs 300 ns a frame, 3.0 times the usual, and says nothing in 1,200 windows"),
        (replace(SILENT, delta_value=-2.0, low=-3.0, high=-1.0), "takes away 2.00 bps a day (95 % at least 1.00)"),
        (replace(SILENT, delta_value=-2.0, low=-3.0, high=0.5), "yes"),
        (replace(SILENT, delta_value=-2.0, low=None, high=None), "yes"),
        (replace(SILENT, delta_sigma=0.01), "yes"),
        (replace(SILENT, expert_id="cheap"), "yes"),
        (replace(SILENT, votes=False), "yes"),
        (replace(SILENT, windows=0), "yes"),
        (replace(SILENT, detector_id="drift"), "yes"),
    ],
)
def test_only_a_dear_voter_that_adds_nothing_is_named(credit: ExpertCredit, words: str) -> None:
    line = experts_line(COSTS, [credit])
    assert words in line.answer
    assert line.colour == ("good" if words == "yes" else "look")


def test_what_was_not_measured_is_said() -> None:
    assert experts_line([], [SILENT]).answer == experts_line(COSTS, []).answer == "not measured yet"
