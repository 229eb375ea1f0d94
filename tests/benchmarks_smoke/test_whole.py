"""The figures of the whole: what a set-up prints is read, a ratio that has halved is named, one not measured too."""

import json

import pytest

from benchmarks.whole import FLOORS, Ran, demo_figures, flat, setup_steps, verdicts
from benchmarks.whole_days import world_of

PARTS = {"reading the tape": 2.0, "learning": 3.0, "the day live": 5.0, "learning of it": 1.0}


def test_the_lines_of_a_set_up_are_its_steps() -> None:
    text = "Setting up Lotus\n  packages of the lock files ... 12 s\n  kernel cache ...\n  kernel cache 41 s\n"
    assert setup_steps(text) == {"packages of the lock files": 12.0, "kernel cache": 41.0}


def test_a_demo_has_figures_by_part() -> None:
    facts = {"parts": PARTS, "messages": 1_000, "events": 80}
    figures = demo_figures(facts, Ran("", wall_s=20.0, cpu_s=30.0, peak_mb=7.0))
    assert figures["demo.msgs_per_s"] == pytest.approx(1_000 / 6.0)
    assert figures["demo.windows_learned_per_s"] == 20.0
    assert figures["demo.the_day_live_s"] == 5.0


@pytest.mark.parametrize(("share", "lines"), [(0.06, 0), (0.04, 1), (None, 1)])
def test_a_share_below_half_of_its_floor_is_named(share: float | None, lines: int) -> None:
    shares = {} if share is None else {"tape": share}
    found = verdicts(shares, {"tape": 0.1})
    assert len(found) == lines
    assert all(line.startswith("tape: ") for line in found)


def test_every_floor_is_a_share() -> None:
    floors = json.loads(FLOORS.read_text())
    assert set(floors) == {"backfill", "day_live", "whole"}
    assert all(0.0 < floor < 1.0 for floor in floors.values())


def test_figures_of_other_benchmarks_get_flat_keys() -> None:
    found = flat("x", {"rows": 3, "costs": [{"name": "a", "s": 1.5}], "growth": [0.9], "text": "no number"})
    assert found == {"x.rows": 3.0, "x.costs.a.s": 1.5, "x.growth.0": 0.9}


def test_more_coins_are_the_three_under_other_names() -> None:
    spec = world_of(5, 1)
    assert [asset.name for asset in spec.assets] == ["BTC", "ETH", "SOL", "C3", "C4"]
    assert spec.assets[3].tick_units == spec.assets[0].tick_units
