"""The regime curator nudges everybody while a number of the regime is broken, and nobody else does it for it."""

from dataclasses import replace

import pytest
from check_curator import NAMES, honest_facts, nudges

from lotus.curation.sig.regime import judge


@pytest.mark.parametrize("name", ["broken_hbar", "broken_entrain"])
def test_a_number_that_stands_still_costs_everybody_the_nudge(name: str) -> None:
    facts = honest_facts()
    assert nudges(judge(replace(facts, **{name: 0.51}), 0.15)) == dict.fromkeys(NAMES, -0.15)
    assert not judge(replace(facts, **{name: 0.5}), 0.15)
    assert not judge(replace(facts, **{name: None}), 0.15)
