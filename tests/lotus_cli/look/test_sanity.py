"""`lotus sanity` shows the stored table of a day, all of it as JSON."""

from pathlib import Path

import pytest
from small_home import Cli

from lotus.outcomes.sanity import FRAME_SERIES, HORIZONS_S, SANITY_TABLE
from lotus_cli.look.sanity_page import SHOWN, VERDICTS

pytestmark = pytest.mark.process("in the home that `lotus demo` makes")


def test_the_newest_day_is_shown_with_every_series(lotus: Cli) -> None:
    found = lotus.json("sanity", "--tape", "demo-11")
    assert {row["asset"] for row in found["rows"]} == {"BTC", "ETH", "all"}
    assert set(found["rows"][0]) == set(SANITY_TABLE.names)
    text = lotus("sanity", "--tape", "demo-11", "--day", found["day"], "--all").stdout
    assert text.startswith(f"SANITY   demo-11, {found['day']}, all assets: ")
    for name in {row["series"] for row in found["rows"]}:
        assert sum(line.startswith(f"{name} ") for line in text.splitlines()) == len(HORIZONS_S), name


def test_what_works_stands_first_and_losers_are_counted_and_reachable(lotus: Cli, tmp_path: Path) -> None:
    rows = [row for row in lotus.json("sanity", "--tape", "demo-11")["rows"] if row["asset"] == "all"]
    text = lotus("sanity", "--tape", "demo-11", "--picture", tmp_path / "s.svg").stdout
    verdicts = [row["verdict"] for row in rows]
    for verdict in VERDICTS:
        assert f"{verdict}: {verdicts.count(verdict)}" in text
    told = [next(v for v in VERDICTS if f" {v} " in line) for line in text.splitlines() if " s  " in line]
    assert len(told) == min(SHOWN, len(rows))
    assert told == sorted(verdicts, key=VERDICTS.index)[: len(told)]
    assert (tmp_path / "s.svg").read_text().startswith("<svg")
    wrong = lotus("sanity", "--tape", "demo-11", "--verdict", "wrong").stdout
    assert f"all assets: {verdicts.count('wrong')} rows" in wrong
    assert "no verdict 'right'" in lotus.refused("sanity", "--tape", "demo-11", "--verdict", "right")
    lotus("sanity", "--tape", "demo-11", "--picture", tmp_path / "s.pdf", code=2)


def test_asset_and_horizon_narrow_the_table(lotus: Cli) -> None:
    found = lotus.json("sanity", "--tape", "demo-11", "--asset", "BTC", "--horizon", 1)["rows"]
    assert {(row["asset"], row["horizon_s"]) for row in found} == {("BTC", 1)}
    text = lotus("sanity", "--tape", "demo-11", "--asset", "BTC", "--horizon", 1, "--wide").stdout
    lines = [line for line in text.splitlines() if line.endswith(("frame", "expert", "detector"))]
    assert len(lines) == len(found)
    assert sum(line.endswith(" frame") for line in lines) == len(FRAME_SERIES)
