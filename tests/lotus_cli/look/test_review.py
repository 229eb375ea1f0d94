"""`lotus review` and `lotus priors` after the demo: what they show, what they refuse, and a rollback."""

import pytest
from small_home import Cli, Facts

from lotus.manifest import WeaveDefaults
from lotus.weave.review import ReviewAct, reviewed

pytestmark = pytest.mark.process("in the home that `lotus demo` makes")

BRANCH = "demo-11"


def test_the_board_names_rule_state_and_evidence(lotus: Cli, facts: Facts) -> None:
    told = lotus.json("review", "list", "--all", "--branch", BRANCH)
    assert {b["state"] for b in told["braids"]} <= {"proposed", "active", "sunset", "archived"}
    assert any(b["state"] == "active" for b in told["braids"])
    for braid in told["braids"]:
        assert {"rule", "grade", "claim_bps", "e_value", "bqs", "tags"} <= braid.keys()
    text = lotus("review", "list", "--branch", BRANCH).stdout
    assert next(b["braid_id"] for b in told["braids"] if b["state"] == "active") in text


def test_a_branch_that_is_not_there_is_refused_with_those_that_are(lotus: Cli) -> None:
    act = ("--author", "ann", "--branch", "nosuch")
    for words in (
        ("review", "list", "--branch", "nosuch"), ("review", "approve", "x", *act), ("priors", "show", "x", *act[2:]),
        ("priors", "rollback", "x", *act), ("card", "micro_drift", *act[2:]), ("dm", "calibration", *act[2:]),
        ("trade", "predictions", *act[2:]),
    ):  # fmt: skip
        assert "branch nosuch was never scored; expected: one of demo-11" in lotus.refused(*words)


def test_an_act_needs_its_author_and_a_reason_code(lotus: Cli) -> None:
    lotus("review", "reject", "x", "--author", "ann", code=2)
    lotus("review", "approve", "x", code=2)
    lotus("review", "raise-cap", "x", "--factor", "1.5", "--author", "ann", code=2)


def test_an_act_waits_for_the_next_night_and_is_said_once(lotus: Cli) -> None:
    braid = lotus.json("review", "list", "--branch", BRANCH)["braids"][0]["braid_id"]
    words = ("review", "approve", braid, "--author", "ann", "--note", "seen", "--branch", BRANCH)
    first = lotus.json(*words)
    assert lotus.json(*words)["act_id"] == first["act_id"]
    waiting = lotus.json("review", "list", "--branch", BRANCH)["waiting"]
    mine = [(w["kind"], w["target"], w["author"]) for w in waiting if w["author"] == "ann"]
    assert mine == [("approve", braid, "ann")]


def test_an_act_that_waits_is_left_out_by_its_name_and_no_other_is(lotus: Cli) -> None:
    braid = lotus.json("review", "list", "--all", "--branch", BRANCH)["braids"][0]["braid_id"]
    place = ("--author", "cy", "--branch", BRANCH)
    act = lotus.json("review", "extend", braid, *place)["act_id"]
    assert f"waits: extend {braid} by cy, act {act}" in lotus("review", "list", "--branch", BRANCH).stdout
    lifting = lotus.json("review", "approve", braid, "--lifts", act, *place)
    assert lifting["reason_code"] == f"lifts {act}"
    refusal = lotus.refused("review", "approve", braid, "--lifts", "nosuch", *place)
    assert f"no act 'nosuch' on braid '{braid}' waits; expected: one that `lotus review list`" in refusal
    acts = [ReviewAct(**w) for w in lotus.json("review", "list", "--branch", BRANCH)["waiting"]]
    outcomes = {o.act.act_id: o for o in reviewed([], acts, "2026-01-09", WeaveDefaults())[1]}
    assert (outcomes[act].accepted, outcomes[act].text) == (False, "lifted by cy before it was applied")
    assert outcomes[lifting["act_id"]].accepted


def test_an_act_on_a_braid_that_is_not_there_is_refused_and_not_queued(lotus: Cli) -> None:
    before = lotus.json("review", "list", "--branch", BRANCH)["waiting"]
    refusal = lotus.refused("review", "approve", "NOSUCH", "--author", "ann", "--branch", BRANCH)
    assert f"branch {BRANCH} has no braid 'NOSUCH'; expected: one that" in refusal
    assert lotus.json("review", "list", "--branch", BRANCH)["waiting"] == before


def test_a_wish_is_listed_with_its_days_and_with_who_lifted_it(lotus: Cli) -> None:
    place = ("--author", "ann", "--branch", BRANCH)
    wish = ("review", "wish", "BTC", "--log", "0.05", "--days", "3", "--reason", "listing", *place)
    sent = lotus.json(*wish)
    assert lotus.json(*wish)["act_id"] == sent["act_id"]
    (row,) = lotus.json("review", "list", "--branch", BRANCH)["wishes"]
    assert (row["coin"], row["log"], row["author"], row["lifted_by"]) == ("BTC", 0.05, "ann", "")
    lotus("review", "lift", sent["act_id"], *place)
    text = lotus("review", "list", "--branch", BRANCH).stdout
    assert (
        f"{sent['act_id']}: BTC log +0.0500 from {sent['from_day']} until {sent['until_day']} by ann: listing" in text
    )
    assert "(lifted by ann)" in text
    assert "coin DOGE" in lotus.refused("review", "wish", "DOGE", *wish[3:])
    assert "no wish nobody" in lotus.refused("review", "lift", "nobody", *place)
    lotus("review", "wish", "BTC", "--log", "0.2", "--days", "3", "--reason", "x", *place, code=2)


def test_a_branch_without_days_has_nothing_to_review(fresh: Cli) -> None:
    assert "no committed day" in fresh.refused("review", "approve", "x", "--author", "ann")
    assert fresh.json("priors", "list")["versions"] == []


def test_versions_are_listed_shown_and_unknown_ones_refused(lotus: Cli) -> None:
    listed = lotus.json("priors", "list", "--branch", BRANCH)["versions"]
    acting = next(v for v in listed if v["braids"])
    text = lotus("priors", "list", "--wide", "--branch", BRANCH).stdout
    assert all(f"{v['priors_ver']}  {v['effective_from'][:10]} " in text for v in listed)
    assert "; ".join(acting["rules"]) in text
    shown = lotus.json("priors", "show", acting["priors_ver"], "--branch", BRANCH)
    assert len(shown["braids"]) == acting["braids"]
    text = lotus("priors", "show", acting["priors_ver"], "--branch", BRANCH).stdout
    assert shown["priors_ver"] in text
    assert set(shown["board"]) == {braid["braid_id"] for braid in shown["braids"]}
    assert {row["tilt_share"] for row in shown["board"].values()} == {1.0}
    assert "tilts the logit by" in text
    assert "there are no priors" in lotus.refused("priors", "show", "0" * 32, "--branch", BRANCH)
    for module in ("dm", "tr"):
        assert lotus.json("priors", "list", "--module", module, "--branch", BRANCH)["versions"] == []
        words = ("priors", "rollback", "0" * 32, "--module", module, "--author", "a", "--branch", BRANCH)
        assert "there are no priors" in lotus.refused(*words)
    assert "there are no priors" in lotus.refused("priors", "rollback", "0" * 32, "--author", "a", "--branch", BRANCH)
