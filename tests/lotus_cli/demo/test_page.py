"""The page of a world without publications in the trap."""

import pytest
from small_home import Cli, Facts

from lotus_cli.demo.page import page

pytestmark = pytest.mark.process("in the home that `lotus demo` makes")


def test_the_page_of_a_world_without_publications_in_the_trap(lotus: Cli, facts: Facts) -> None:
    text = page(facts, f" --home {lotus.home}")
    for part in (
        "LOTUS DEMO   world demo, seed 11",
        "LESSONS   planted 2",
        "TRAP",
        "BELIEFS",
        "PARITY",
        "TRADED",
        "MONEY",
        "TIME",
        "NEXT",
    ):
        assert part in text
    assert "equal, bit for bit" in text
    assert "nan" not in text
    assert "family-wise error 98 %" in text
    assert f"lotus explain {facts['example_event']} --home {lotus.home}" in text
    empty = facts["trap"][0] | {"published": 0, "hit_rate": None, "naive_z": None, "net_bps": None}
    assert "too few publications to be fallen for" in page(facts | {"trap": [empty]}, "")


EARNED = {"level": 2, "since_day": 27, "e": 512.3}


def test_levels_stand_beside_the_lessons_and_the_money(facts: Facts) -> None:
    assert "level" not in page(facts), "one analysis on the last day but one: no day went by after it"
    active = [x | {"trust": EARNED if x["active"] else None} for x in facts["lessons"]]
    assert any(x["active"] for x in active)
    days = [{"detector_id": "sweep_stall_reversal", "rule": "oi <= 1", "levels": [None, 0, 1, 2]}]
    text = page(facts | {"lessons": active, "money": facts["money"] | {"levels": days}})
    assert ", level 2 since day 27, E 512" in text
    assert "level on each of these days: - 0 1 2   sweep_stall_reversal where oi <= 1" in text


def test_what_the_truth_would_pay_stands_beside_what_beliefs_pay(facts: Facts) -> None:
    assert "if the truth were known" in page(facts)
    money = facts["money"]["beliefs"]
    same = [x | {"with_beliefs": x["without"], "gain_usd": 0.0, "if_known": None} for x in money["styles"]]
    null = money | {"styles": same, "where_true": [], "moved": 0}
    text = page(facts | {"money": facts["money"] | {"beliefs": null}})
    assert "if the truth were known" not in text
    assert "no belief moved a window: both sides are the same" in text


def test_an_experiment_in_force_is_named(facts: Facts) -> None:
    assert "experiment" not in page(facts | {"experiments": []})
    tried = [{"detector_id": "compressed_range", "rule": "oi >= 3"}]
    assert "one of them an experiment: compressed_range where oi >= 3" in page(facts | {"experiments": tried})
