"""A finalist beside what stands: the opposite of a candidate that pays is a contradiction, the same is redundant."""

from dataclasses import replace

import numpy as np

from lotus.coprocessor.auditor import beside
from lotus.coprocessor.bar import CandidateVerdict, Finalist
from lotus.coprocessor.genome import read
from lotus.coprocessor.scoring import Score
from lotus.coprocessor.selection import Individual
from lotus.tape_machine.parser import parse

DAILY = tuple(np.random.default_rng(4).standard_normal(20).tolist())
GENOME, SCORE = read(parse("sign(flow)"), 30, 5_000), Score(DAILY, 1)
MADE = Individual(GENOME, SCORE, "gate_of", ("parent",))
FINALIST = Finalist(MADE, GENOME, SCORE, (), CandidateVerdict("screened", "bar", 9.0, 8.0, "good"))


def near(sign: float, noise: float) -> list[float]:
    """Days that go along with those of the finalist, or against them."""
    return (sign * np.array(DAILY) + noise * np.random.default_rng(5).standard_normal(20)).tolist()  # type: ignore[no-any-return]


def test_what_repeats_or_contradicts_a_standing_candidate_is_refused_with_the_number() -> None:
    against = beside(FINALIST, {"other": near(1.0, 2.0), "rival": near(-1.0, 0.1)}).verdict
    assert (against.state, against.check, against.bound) == ("refused", "contradiction", -0.9)
    assert against.value < -0.9
    assert "rival" in against.words
    along = beside(FINALIST, {"rival": near(1.0, 0.1)}).verdict
    assert (along.state, along.check) == ("refused", "redundant")


def test_a_rival_that_goes_its_own_way_or_is_the_parent_stops_nobody() -> None:
    assert beside(FINALIST, {"rival": near(-1.0, 1.5), "other": near(1.0, 2.0)}) is FINALIST
    assert beside(FINALIST, {"parent": near(1.0, 0.1)}) is FINALIST
    assert beside(FINALIST, {"parent": near(-1.0, 0.1)}).verdict.check == "contradiction"
    refused = replace(FINALIST, verdict=CandidateVerdict("refused", "bar", 1.0, 8.0, "low"))
    assert beside(refused, {"rival": near(-1.0, 0.0)}) is refused
