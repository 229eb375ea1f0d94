"""The diversity curator vetoes the worse twin and weighs detectors by how many go together."""

from dataclasses import replace

import pytest
from check_curator import honest_facts, nudges, vetoed, with_detector

from lotus.curation.likeness import Likeness
from lotus.curation.sig.diversity import judge


def test_a_twin_of_a_better_detector_is_vetoed_by_the_lower_end() -> None:
    facts = replace(honest_facts(), likenesses=[Likeness("basis", "range", -0.97, 0.91, 9)])
    assert vetoed(judge(facts, 0.15)) == ["basis"], "range has the higher score"
    assert vetoed(judge(with_detector(facts, "range", sq_score=None), 0.15)) == ["range"]
    assert not vetoed(judge(replace(facts, likenesses=[Likeness("basis", "range", 0.99, 0.9, 9)]), 0.15))
    assert not vetoed(judge(with_detector(facts, "range", sq_score=0.3), 0.15)), "neither is better"


def test_nudges_follow_the_size_of_the_cluster_and_sum_to_nothing() -> None:
    facts = replace(honest_facts(), likenesses=[Likeness("basis", "drift", 0.7, 0.5, 9)])
    found = nudges(judge(facts, 0.15))
    assert found == pytest.approx({"basis": -0.025, "drift": -0.025, "range": 0.05})
    assert sum(found.values()) == pytest.approx(0.0)
    chain = [*facts.likenesses, Likeness("drift", "range", -0.61, 0.2, 9)]
    assert not nudges(judge(replace(facts, likenesses=chain), 0.15)), "all three in one"
