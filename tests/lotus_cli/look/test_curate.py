"""`lotus curate` after the demo: what is in force, an act from its command to its end, refusals with every reason."""

import pytest
from small_home import Cli

pytestmark = pytest.mark.process("in the home that `lotus demo` makes")

BRANCH = ("--branch", "demo-11")
BY = ("--author", "ann", "--reason", "listing on Friday", *BRANCH)


def test_an_act_is_shown_until_it_is_lifted(lotus: Cli) -> None:
    before = lotus.json("curate", "summary", *BRANCH)
    veto = lotus.json("curate", "veto", "@BTC", "--days", "3", *BY)
    nudge = lotus.json("curate", "propose", "micro_drift", "--log", "0.03", *BY)
    after = lotus.json("curate", "summary", *BRANCH)
    names = {act["act_id"] for act in after["acts"]} - {act["act_id"] for act in before["acts"]}
    assert names == {veto["act_id"], nudge["act_id"]}
    assert len(after["curators"]) == 16
    text = lotus("curate", "summary", *BRANCH).stdout
    assert veto["act_id"] in text
    assert "listing on Friday" in text
    for act in (veto, nudge):
        lotus("curate", "lift", act["act_id"], *BY)
    assert lotus.json("curate", "summary", *BRANCH)["acts"] == before["acts"]
    assert "is lifted already" in lotus.refused("curate", "lift", veto["act_id"], "--author", "bob", *BY[2:])


def test_a_card_is_signed_off_and_what_it_says_moves_nothing(lotus: Cli) -> None:
    signed = lotus.json("curate", "sign-off", "micro_drift", "--days", "9", *BY)
    assert (signed["kind"], signed["value"]) == ("sign_off", 0.0)
    card = lotus.json("card", "micro_drift", *BRANCH)
    assert card["signed_off"] == [f"ann until {signed['until_day']}: listing on Friday"]
    assert "Signed off by ann until" in lotus("card", "micro_drift", *BRANCH).stdout
    assert "detector 'nosuch'" in lotus.refused("curate", "sign-off", "nosuch", *BY)
    for target in ("@BTC", "micro_drift@BTC"):
        assert "expected: a detector" in lotus.refused("curate", "sign-off", target, *BY)
    lotus("curate", "lift", signed["act_id"], *BY)
    assert lotus.json("card", "micro_drift", *BRANCH)["signed_off"] == []


def test_a_wrong_act_is_refused_with_every_reason(lotus: Cli) -> None:
    refusal = lotus.refused("curate", "propose", "nosuch", "--log", "0", "--author", "ann", "--reason", " ", *BRANCH)
    for words in ("a reason of 1 characters", "a nudge of 0", "detector 'nosuch'"):
        assert words in refusal
    assert "coin 'DOGE'" in lotus.refused("curate", "veto", "@DOGE", *BY)
    lotus("curate", "propose", "micro_drift", "--log", "0.06", *BY, code=2)
    lotus("curate", "veto", "@BTC", "--days", "31", *BY, code=2)
    refusal = lotus.refused("curate", "veto", "@BTC", "--author", "a\nb", "--reason", "x", *BRANCH)
    assert "the printable name of a person" in refusal
