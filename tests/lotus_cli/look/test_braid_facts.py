"""`lotus_store/facts/braids.py`: the facts of a braid are the first of what both pages say of it."""

import pytest
from small_home import Cli

pytestmark = pytest.mark.process("in the home that `lotus demo` makes")

KEYS = ["braid_id", "type", "detector_id", "rule", "state", "grade"]


def test_review_and_lessons_say_the_same_of_a_braid_in_force(lotus: Cli) -> None:
    listed = {b["braid_id"]: b for b in lotus.json("review", "list", "--branch", "demo-11")["braids"]}
    believed = lotus.json("lessons", "--branch", "demo-11")["beliefs"]
    assert believed
    for braid in believed:
        assert list(braid)[:6] == KEYS
        assert {key: braid[key] for key in KEYS if key != "state"} == {
            key: listed[braid["braid_id"]][key] for key in KEYS if key != "state"
        }
