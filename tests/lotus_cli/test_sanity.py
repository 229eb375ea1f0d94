"""`lotus sanity` shows the stored table of a day, all of it as JSON."""

import pytest
from small_home import Cli

from lotus.outcomes.sanity import FRAME_SERIES, HORIZONS_S, SANITY_TABLE

pytestmark = pytest.mark.process("in the home that `lotus demo` makes")


def test_the_newest_day_is_shown_with_every_series(lotus: Cli) -> None:
    found = lotus.json("sanity", "--tape", "demo-11")
    assert {row["asset"] for row in found["rows"]} == {"BTC", "ETH", "all"}
    assert set(found["rows"][0]) == set(SANITY_TABLE.names)
    text = lotus("sanity", "--tape", "demo-11", "--day", found["day"]).stdout
    assert text.startswith(f"demo-11, {found['day']}, all\n")
    for name in {row["series"] for row in found["rows"]}:
        assert sum(f" {name} " in line for line in text.splitlines()) == len(HORIZONS_S), name


def test_asset_and_horizon_narrow_the_table(lotus: Cli) -> None:
    found = lotus.json("sanity", "--tape", "demo-11", "--asset", "BTC", "--horizon", 1)["rows"]
    assert {(row["asset"], row["horizon_s"]) for row in found} == {("BTC", 1)}
    text = lotus("sanity", "--tape", "demo-11", "--asset", "BTC", "--horizon", 1).stdout
    lines = [line for line in text.splitlines() if line.startswith(("frame ", "expert ", "detector "))]
    assert len(lines) == len(found)
    assert sum(line.startswith("frame ") for line in lines) == len(FRAME_SERIES)
