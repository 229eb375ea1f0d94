"""`lotus demo`: its documented keys, its page, and that a second run in the same home says the same."""

import json

import pytest
from small_home import Cli, Facts

from lotus.simulation.spec import WorldSpec

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
    "traded",
    "money",
]


OF_THE_RUN = ("seconds", "parts", "live")  # times, and how much of the tape came from the daemon's own


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


def test_the_last_day_was_traded_and_taught(facts: Facts) -> None:
    traded = facts["traded"]
    assert 0 < traded["answered"] <= facts["publication"]["published"]
    assert traded["outcomes"] == {"closed": traded["answered"]}, "the tape waits: nothing is void, refused or unfilled"
    assert traded["probes"]["trades"] == traded["answered"]
    usd = traded["probes"]["usd"]
    costs = usd["fees"] + usd["spread"] + usd["slippage"] + usd["funding"]
    assert usd["net"] == pytest.approx(usd["gross"] - costs, abs=1e-5)
    assert traded["whole_at_venue"] > 0


def test_what_beliefs_changed_is_told_in_money_by_style(facts: Facts) -> None:
    money = facts["money"]["beliefs"]
    assert len(facts["money"]["days"]) == 1
    assert [style["style"] for style in money["styles"]] == ["cross", "join", "improve"]
    for style in money["styles"]:
        moved = style["added"]["windows"] - style["dropped"]["windows"]
        assert style["with_beliefs"]["windows"] - style["without"]["windows"] == moved
        gained = style["added"]["usd"] - style["dropped"]["usd"]
        assert style["with_beliefs"]["usd"] - style["without"]["usd"] == pytest.approx(gained)
        assert style["gain_usd"] == pytest.approx(gained)
        assert style["with_beliefs"]["windows"] > 0
    assert money["moved"] > 0


def test_what_the_truth_would_pay_is_told_of_the_same_windows(facts: Facts) -> None:
    money = facts["money"]["beliefs"]
    for whole, inside in zip(money["styles"], money["where_true"], strict=True):
        outside = [whole[side]["windows"] - inside[side]["windows"] for side in ("without", "if_known")]
        assert outside[0] == outside[1], "the truth acts where a planted rule holds alone"
        assert inside["if_known"]["windows"] >= inside["without"]["windows"]


def test_before_a_belief_nothing_is_changed(lotus: Cli) -> None:
    day = WorldSpec().first_day
    money = lotus.json("pnl", "--branch", "demo-11", "--tape", "demo-11", "--beliefs", "--day", day)["beliefs"]
    assert money["moved"] == 0
    for style in money["styles"]:
        assert style["with_beliefs"] == style["without"]
        assert style["gain_usd"] == 0.0


def test_a_lesson_in_force_tells_its_level(facts: Facts) -> None:
    earned = [x["trust"] for x in facts["lessons"] if x["active"]]
    assert earned == [{"level": 0, "since_day": None, "e": 1.0}], "no day has gone by"
    assert [x["levels"] for x in facts["money"]["levels"]] == [[0]]


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


def test_another_length_in_the_same_home_is_refused(lotus: Cli) -> None:
    assert "branch demo-11 was begun with" in lotus.refused("demo", "--days", "3", "--seed", "11")
