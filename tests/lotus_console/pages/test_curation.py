"""`lotus_console/pages/curation.py`: what waits, what became of acts, and reviewers as the whole board would say."""

from dataclasses import replace

import pytest
from sown import DAY, NIGHT_MS, believed, put, put_braid, put_night, put_window

from lotus.errors import ConfigError
from lotus.priors.types import IDENTITY, Patch
from lotus.weave.review import LIFTS, ActOutcome, ReviewAct, reviewers
from lotus_console.pages.curation import ACTS, VERSIONS, curation_facts, lifted_words, preview_of, target_of
from lotus_console.reading import HomeReading
from lotus_console.tables import PAGE
from lotus_store.databases import Connection
from lotus_store.ledger.beliefs.braids import read_registry
from lotus_store.ledger.beliefs.reviews import KIND, put_review
from lotus_store.ledger.bodies import to_body
from tests.hostile.console_attacks import MARKUP
from tests.support.asgi_client import AsgiClient

ACT = ReviewAct("a" * 32, "main", DAY, "reject", f"{1:032x}", "ann", "implausible")


def settled(sig: Connection, act: ReviewAct, accepted: bool, text: str) -> ActOutcome:
    """Keep an act and what the night made of it."""
    put_review(sig, act, f"of {act.act_id}")
    outcome = ActOutcome(act, accepted, text)
    put(sig, "experiments", branch="main", day=act.asof_day, kind=KIND, name=act.act_id, body=to_body(outcome))
    return outcome


def test_an_empty_home_waits_for_nothing(reading: HomeReading, browser: AsgiClient) -> None:
    facts = curation_facts(reading, {})
    assert facts["title"] == "Nothing waits"
    assert [facts[name] for name in ("queue", "living", "waiting", "done", "reviewers", "versions")] == [[]] * 6
    assert browser.get("/curation?done=rollback-x").status == browser.get("/curation?done=x").status == 200
    for kind, target in (("approve", "x"), ("rollback", "x"), ("raise", "x")):
        with pytest.raises(LookupError):
            target_of(reading, kind, target)


def test_a_long_queue_is_counted_whole_and_shown_by_the_page(
    reading: HomeReading, sig: Connection, browser: AsgiClient
) -> None:
    put_night(sig)
    for k in range(PAGE + 7):
        put_braid(sig, k, state="proposed")
    for k in range(3):
        put_braid(sig, 100 + k, state="active")
    put_braid(sig, 200, state="archived")
    facts = curation_facts(reading, {})
    assert facts["title"] == f"{PAGE + 7} braids wait for you"
    assert (len(facts["queue"]), len(facts["living"])) == (PAGE, 3)
    page = browser.get("/curation").text
    assert f'<a href="/braids?state=proposed">All {PAGE + 7}</a>' in page
    assert "state=active" not in page, "all that act are shown"


def test_acts_lead_to_their_undo(reading: HomeReading, sig: Connection) -> None:
    put_night(sig)
    put_braid(sig, 1)
    settled(sig, replace(ACT, act_id="c" * 32, asof_day="2026-01-04"), True, "its patch ended")
    settled(sig, replace(ACT, act_id="e" * 32, asof_day="2026-01-04", kind="extend"), False, "it ended before")
    put_night(sig, "2026-01-04")
    put_review(sig, ACT, "m")
    put_review(sig, replace(ACT, act_id="d" * 32, kind="approve", reason_code=LIFTS + "f" * 32), "n")
    facts = curation_facts(reading, {"done": ACT.act_id})
    waiting = {act["act_id"]: act for act in facts["waiting"]}
    assert set(waiting) == {ACT.act_id, "d" * 32}
    assert waiting[ACT.act_id]["undo"] == f"/curation/act/approve?target={1:032x}&lifts={ACT.act_id}"
    assert waiting["d" * 32]["reason_code"] == "leaves out the act ffffffff"
    done = {act["act_id"]: act for act in facts["done"]}
    assert done["c" * 32]["state"] == "done: its patch ended"
    assert done["c" * 32]["undo"] == f"/curation/act/approve?target={1:032x}"
    assert (done["e" * 32]["state"], done["e" * 32]["undo"]) == ("refused: it ended before", "")
    assert facts["sent"]["words"].startswith("Reject spread >= 3 by ann is sent")
    assert lifted_words(reading, ACT.act_id, ACT.target) == "the reject by ann that waits"
    with pytest.raises(LookupError, match="waits"):
        lifted_words(reading, "c" * 32, ACT.target)
    rows = ACTS.source(reading, ACTS.asked({"author": "ann", "kind": "reject"})).rows
    assert {row["act_id"] for row in rows} == {ACT.act_id, "c" * 32}


def test_an_act_that_is_left_out_says_so_and_by_whom(
    reading: HomeReading, sig: Connection, browser: AsgiClient
) -> None:
    put_night(sig)
    put_braid(sig, 1)
    lift = replace(ACT, act_id="d" * 32, kind="approve", author="bob", reason_code=LIFTS + ACT.act_id)
    other = replace(lift, act_id="b" * 32, target=f"{2:032x}", author="eve")
    for act in (ACT, lift, other):
        put_review(sig, act, act.act_id)
    facts = curation_facts(reading, {"done": ACT.act_id})
    waiting = {act["act_id"]: act for act in facts["waiting"]}
    assert waiting[ACT.act_id]["state"] == "left out by bob: the next nightly run does not apply it"
    assert (waiting[ACT.act_id]["undo"], facts["sent"]) == ("", None)
    assert waiting["d" * 32]["undo"].endswith(f"&lifts={'d' * 32}")
    assert facts["title"] == "Nothing waits, 2 acts for the night"
    assert "undo the act that leaves it out" in browser.get("/curation").text
    again = replace(lift, act_id="e" * 32, author="ann", reason_code=LIFTS + lift.act_id)
    put_review(sig, again, "x")
    states = {act["act_id"]: act["state"] for act in curation_facts(reading, {})["waiting"]}
    assert states["d" * 32].startswith("left out by ann")
    assert states[ACT.act_id] == "waits for the next nightly run"


def test_reviewers_are_as_the_whole_board_says(reading: HomeReading, sig: Connection) -> None:
    put_night(sig)
    for k in range(8):
        put_braid(sig, k, state="active" if k % 2 else "archived", tags=("reverted",) if k == 2 else ())
    outcomes = [
        settled(sig, replace(ACT, act_id=f"{k:032x}", kind=kind, target=f"{k:032x}", author=who), True, "so")
        for k, (kind, who) in enumerate([("approve", "ann"), ("approve", "bob"), ("approve", "bob"), ("reject", "bob")])
    ]
    expected = reviewers(outcomes, read_registry(sig, "main"))
    shown = curation_facts(reading, {})["reviewers"]
    scores = dict.fromkeys(("judged", "right", "brier", "regret_bps"))
    assert shown == [{**{n: getattr(one, n) for n in shown[0] if n not in scores}, **scores} for one in expected]
    assert [one["false_promotions"] for one in shown] == [0, 1]
    put_night(sig, "2026-01-06")
    settled(sig, replace(ACT, act_id="9" * 32, asof_day="2026-01-06", author="cy"), True, "so")
    assert [one["author"] for one in curation_facts(reading, {})["reviewers"]] == ["ann", "bob", "cy"]


def test_versions_are_counted_and_previewed(reading: HomeReading, sig: Connection) -> None:
    put_night(sig)
    braid = put_braid(sig, 1, patch=Patch(-0.2, 1.0))
    first = believed(sig, braid, day="2026-01-03")
    newest = believed(sig, braid, put_braid(sig, 2), put_braid(sig, 3, patch=IDENTITY))
    rows = VERSIONS.source(reading, VERSIONS.asked({})).rows
    assert [(row["priors_ver"], row["braids"], row["was_in_force"]) for row in rows] == [
        (newest.priors_ver, 2, True), (first.priors_ver, 1, True),
    ]  # fmt: skip
    assert [row["braids"] for row in curation_facts(reading, {})["versions"]] == [2, 1]
    assert target_of(reading, "rollback", first.priors_ver)["lines"] == ["micro_drift: spread >= 3"]
    back = ReviewAct("", "main", "", "rollback", newest.priors_ver, "ann")
    assert "braids in force" in preview_of(reading, back)["words"]
    put_window(sig, 1, window_end_ms=NIGHT_MS)
    assert preview_of(reading, replace(ACT, target="f" * 32))["title"] == "No number changes"
    with pytest.raises(LookupError, match="no braid"):
        target_of(reading, "approve", put_braid(sig, 9, branch="other").braid_id)


def test_notes_and_names_of_people_stay_text(sig: Connection, browser: AsgiClient) -> None:
    put_night(sig)
    put_braid(sig, 1)
    for k, markup in enumerate(MARKUP):
        put_review(sig, replace(ACT, act_id=f"{k:032x}", author=markup, note=markup), f"m{k}")
    text = browser.get("/curation").text + browser.get("/acts").text
    assert not [markup for markup in MARKUP if "<" in markup and markup in text]
    assert browser.get("/curation/act/approve?target=" + "x" * 3000).status == 404
    with pytest.raises(ConfigError):
        ACTS.asked({"kind": "nuke"})
