"""The page on the trader shows the reasons, knobs and curators of the code."""

from pathlib import Path

import pytest
from trader_tables import tables

from lotus.trading.execution.state import Safety
from lotus.trading.plan.refusals import RefusalReason

PAGE = (Path(__file__).resolve().parents[2] / "docs/concepts/trading.md").read_text()


@pytest.mark.parametrize("name", list(tables()))
def test_tables_are_those_of_the_code(name: str) -> None:
    after = PAGE.split(f"<!-- {name} -->\n")[1]
    assert after.split("\n\n")[0] == tables()[name]
    assert len(tables()["refusals"].splitlines()) == len(RefusalReason) + 2


def test_the_times_of_safety_are_those_of_the_code() -> None:
    said = " ".join(PAGE.split())
    safety = Safety()
    for text in (
        f"younger than {safety.view_age_ms / 1000:g} s nothing is opened",
        f"after {safety.stop_grace_ms / 1000:g} s gets a stop of its own",
        f"did not name for {safety.confirm_ms / 1000:g} s is asked for",
        f"bare for {safety.close_after_ms / 1000:g} s is closed",
    ):
        assert text in said
