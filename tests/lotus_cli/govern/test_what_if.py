"""`lotus what-if` after the demo: both answers, numbered and kept; what no log can carry is refused with the number."""

import pytest
from small_home import Cli

pytestmark = pytest.mark.process("in the home that `lotus demo` makes")

DAYS = ("--from", "2026-01-05", "--to", "2026-01-31", "--branch", "demo-11", "--tape", "demo-11")


def test_a_question_is_answered_both_ways_and_once(lotus: Cli) -> None:
    asked = ("what-if", *DAYS, "--set", "score.epsilon=0.1", "--simulate")
    first = lotus.json(*asked)
    assert "needs 5" in first["log"]["refused"]
    assert first["log"]["moved"] > 0
    assert first["log"]["unlike"] == 0
    assert first["tape"]["value"]["days"] == first["days"]
    assert first["tape"]["published"] > first["tape"]["published_before"]
    assert lotus.json(*asked) == first
    second = lotus.json("what-if", *DAYS, "--without", "adversarial")
    assert second["number"] == first["number"] + 1
    assert second["log"]["moved"] == 0, "no nudge of that curator was in force"
    assert "the log does not answer: 4 days" in lotus(*asked).stdout


def test_what_cannot_be_asked_is_refused(lotus: Cli) -> None:
    for words, said in (
        (("--without", "nobody"), "--without nobody names nobody"),
        (("--set", "score.seed=8"), "--set score.seed"),
        (("--set", "score.epsilon"), "key=value"),
        (("--set", "score.epsilon=high"), "'high' is no value"),
        (("--set", "outcomes.taker_fee_bps=3"), "--simulate"),
        (("--priors", "0" * 32), "there are no priors"),
        (("--spec", "/dev/zero"), "is larger than 4 MiB"),
    ):
        assert said in lotus.refused("what-if", *DAYS, *words)
    lotus("what-if", *DAYS, code=2)
    swapped = lotus.refused("what-if", "--from", "2026-01-09", "--to", "2026-01-08", "--priors", "none", *DAYS[4:])
    assert "is after --to" in swapped
