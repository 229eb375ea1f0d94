"""`lotus demo`: its documented keys, its page, and that a second run in the same home says the same."""

import json

import pytest
from small_home import Cli, Facts

from lotus_cli.demo_page import page

pytestmark = pytest.mark.process("in the home that `lotus demo` makes")

KEYS = [
    "days",
    "symbols",
    "frames",
    "events",
    "planted",
    "recovered",
    "missed",
    "false",
    "priors_ver",
    "parity",
    "paper",
]
OF_THE_RUN = ("seconds", "live", "paper")  # times, and how much of the tape came from the daemon's own


def test_the_documented_keys_are_there_and_agree_with_each_other(facts: Facts) -> None:
    assert [key for key in KEYS if key not in facts] == []
    assert facts["days"] == 4
    assert facts["symbols"] == ["BTC", "ETH"]
    assert facts["frames"] > 30_000
    assert facts["events"] > 5_000
    names = {p["name"] for p in facts["planted"]}
    assert names == {"low_interest", "steep_book"}
    assert sorted([*facts["recovered"], *facts["missed"]]) == sorted(names)
    judged = [x["verdict"] for x in facts["lessons"]]
    assert len(facts["false"]) == sum(v in ("false", "trap") for v in judged)
    assert facts["parity"] is True
    assert facts["live"]["hash_live"] == facts["live"]["hash_asset"]
    assert facts["paper"]["probes"] > 0
    assert {"before_fees_usd", "fees_usd", "net_usd", "mean_payoff_bps", "against_tape"} <= set(facts["paper"])


def test_a_belief_was_in_force_on_the_last_day(facts: Facts) -> None:
    assert facts["braids_in_force"] >= 1
    assert facts["publication"]["windows_with_braids"] > 0
    assert len(facts["priors_ver"]) == 32


def test_a_second_run_says_the_same(lotus: Cli, facts: Facts) -> None:
    done = lotus.demo("--json")
    again = json.loads(done.stdout)
    assert done.stderr == ""
    assert {k: v for k, v in again.items() if k not in OF_THE_RUN} == {
        k: v for k, v in facts.items() if k not in OF_THE_RUN
    }
    assert again["live"]["hash_live"] == facts["live"]["hash_live"]
    assert again["live"]["status"]["rebuilt"] == facts["live"]["status"]["lines"]


def test_the_page_of_a_world_without_publications_in_the_trap(lotus: Cli, facts: Facts) -> None:
    text = page(facts, f" --home {lotus.home}")
    for part in (
        "LOTUS DEMO   world demo, seed 11",
        "LESSONS   planted 2",
        "TRAP",
        "BELIEFS",
        "PARITY",
        "PAPER",
        "NEXT",
    ):
        assert part in text
    assert "equal, bit for bit" in text
    assert "nan" not in text
    assert "family-wise error 98 %" in text
    assert f"lotus explain {facts['example_event']} --home {lotus.home}" in text
    empty = facts["trap"][0] | {"published": 0, "hit_rate": None, "naive_z": None, "net_bps": None}
    assert "too few publications to be fallen for" in page(facts | {"trap": [empty]}, "")


def test_another_length_in_the_same_home_is_refused(lotus: Cli) -> None:
    assert "branch demo-11 was begun with" in lotus.refused("demo", "--days", "3", "--seed", "11")
