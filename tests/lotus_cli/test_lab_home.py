"""`lotus_lab/home.py`: a home from a notebook says what the commands print, and can only read."""

import pytest
from small_home import Cli, Facts

import lotus_lab as lab
from lotus.errors import LedgerError, QueryError

BRANCH = "demo-11"
pytestmark = pytest.mark.process("in the home that `lotus demo` makes; a question starts a Python of its own")


def test_rows_are_those_of_the_command_and_nothing_can_be_written(lotus: Cli) -> None:
    asked = "SELECT detector_id, count(*) AS n FROM signal_events WHERE branch = $branch GROUP BY ALL ORDER BY ALL"
    frame = lab.sql(asked, {"branch": BRANCH}, home=str(lotus.home))
    assert frame["n"].sum() > 100
    assert frame["detector_id"].is_monotonic_increasing
    with pytest.raises(QueryError):
        lab.sql("CREATE TABLE x AS SELECT 1", home=str(lotus.home))


def test_a_story_is_that_of_the_command(lotus: Cli, facts: Facts) -> None:
    asked = "SELECT event_id FROM signal_events WHERE branch = $branch AND published ORDER BY window_end_ms LIMIT 1"
    event = lab.sql(asked, {"branch": BRANCH}, home=str(lotus.home))["event_id"][0]
    story = lab.explain(event, home=str(lotus.home), branch=BRANCH, tape=BRANCH)
    printed = lotus.json("explain", event, "--tape", BRANCH)
    assert story.explanation.exact
    assert story.as_json()["steps"] == printed["steps"]
    with pytest.raises(LedgerError):
        lab.explain("0" * 32, home=str(lotus.home), branch=BRANCH, tape=BRANCH)
