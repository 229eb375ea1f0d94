"""`lotus segments`: off, before a list, and the list of a day."""

from pathlib import Path

import pytest
from small_home import Cli

from lotus.detectors.daily.segment_set import DISTILLED, SegmentSet
from lotus_store.config import load_settings
from lotus_store.databases import Databases
from lotus_store.ledger.beliefs.segments import put_segments

pytestmark = pytest.mark.process("in the home that `lotus demo` makes")
BRANCH = "demo-11"
LISTS = [
    SegmentSet(day, made, ("BTC", "ETH"), (("vol <= 2bps/sqrt(min)", "vol > 2bps/sqrt(min)"), ()), 0.9, DISTILLED, 3,
               (3.0, 2.0, 4.0), (0.25, 0.75))
    for day, made in (("2026-01-14", "2026-01-12"), ("2026-01-21", "2026-01-19"))
]  # fmt: skip


def test_a_home_without_segments_says_so_and_one_with_shows_the_list_of_a_day(lotus: Cli) -> None:
    assert "No list is in force" in lotus("segments", "--branch", BRANCH).stdout
    assert lotus.json("segments", "--branch", BRANCH) == {"segment_context": False, "in_force": None, "lists": []}
    settings = load_settings(home=Path(lotus.home), config=lotus.home / "lotus.toml", branch=BRANCH)
    with Databases(settings) as databases, databases.connect("sig") as sig:
        for one in LISTS:
            put_segments(sig, BRANCH, one)
    found = lotus.json("segments", "--day", "2026-01-20", "--branch", BRANCH)
    assert (found["in_force"]["from_day"], len(found["lists"])) == ("2026-01-14", 2)
    assert found["in_force"]["texts"] == {"BTC": list(LISTS[0].texts[0]), "ETH": []}
    text = lotus("segments", "--branch", BRANCH).stdout
    assert "holds from 2026-01-21 on" in text
    assert "vol > 2bps/sqrt(min)" in text
