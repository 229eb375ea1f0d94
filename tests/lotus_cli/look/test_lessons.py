"""`lotus lessons` and `lotus atoms show` after the demo: what is believed and why, what was refused, what is summed."""

import pytest
from small_home import Cli, Facts

from lotus.priors.vocabulary import FEATURES

pytestmark = pytest.mark.process("in the home that `lotus demo` makes")

PLACE = ("--branch", "demo-11")
LOOKED, LAST = "2026-01-07", "2026-01-08"


def test_the_newest_night_that_decided_something_is_told_in_sentences(lotus: Cli, facts: Facts) -> None:
    told = lotus.json("lessons", *PLACE)
    assert (told["day"], told["asked"], told["looked"]) == (LOOKED, False, True)
    (belief,) = told["beliefs"]
    (taught,) = facts["lessons"]
    assert (belief["lesson"]["lesson_id"], belief["rule"]) == (taught["lesson_id"], taught["rule"])
    assert 0 < belief["days_left"] <= 30
    text = lotus("lessons", *PLACE).stdout
    said = " ".join(text.split())
    assert f"nightly run of {LOOKED} (the newest that accepted or refused something" in said
    assert f"{taught['detector_id']} pays 2.00 bps more where {taught['rule']}: uplift +2.00 bps" in said
    assert "95 % [+1.00, +3.00], bound +1.00" in said
    assert f"grade {taught['grade']}, accepted" in said
    assert f"{belief['days_left']} days left" in said
    assert belief["braid_id"] in said
    assert (belief["trust"]["level"], belief["trust"]["snr_low"], belief["gate"]) == (0, None, 0.0)
    assert "trust: level 0, tilt up to 0.50 logit; E 1, daily signal to noise not known yet" in said
    assert max(map(len, text.splitlines())) <= 120


def test_refusals_are_counted_and_listed_with_their_reasons(lotus: Cli) -> None:
    told = lotus.json("lessons", *PLACE)["refused"]
    assert told
    assert all(x["reason"] for x in told)
    assert f"REFUSED: {len(told)} (" in lotus("lessons", *PLACE).stdout
    text = lotus("lessons", "--refused", "--wide", *PLACE).stdout
    for refusal in told:
        assert any(refusal["rule"] in line and refusal["reason"] in line for line in text.splitlines())
    assert "Lessons of the nightly run" in text


def test_another_day_and_one_detector_may_be_asked_for(lotus: Cli, facts: Facts) -> None:
    later = lotus.json("lessons", "--day", LAST, *PLACE)
    assert (later["asked"], later["looked"]) == (True, False)
    assert later["beliefs"][0]["days_left"] < lotus.json("lessons", *PLACE)["beliefs"][0]["days_left"]
    assert "did not look for lessons" in lotus("lessons", "--day", LAST, *PLACE).stdout
    name = facts["lessons"][0]["detector_id"]
    mine = lotus.json("lessons", "--detector", name, *PLACE)
    assert {x["detector_id"] for x in (*mine["beliefs"], *mine["lessons"], *mine["refused"])} == {name}
    assert "nothing was ever learned or refused" in lotus.refused("lessons", "--detector", "nobody", *PLACE)
    assert "one of 2026-01-05 to 2026-01-08" in lotus.refused("lessons", "--day", "2020-01-01", *PLACE)
    assert "one of demo-11" in lotus.refused("lessons", "--branch", "nosuch")


def test_without_a_night_it_is_said(fresh: Cli) -> None:
    assert "no nightly run of learning" in fresh.refused("lessons")
    assert "no lesson atoms" in fresh.refused("atoms", "show")


def test_atoms_are_summed_over_days_by_condition(lotus: Cli, facts: Facts) -> None:
    told = lotus.json("atoms", "show", *PLACE)
    assert told["features"] == ["session"]
    name = facts["lessons"][0]["detector_id"]
    mine = lotus.json("atoms", "show", "--detector", name, *PLACE)["cells"]
    assert {cell["detector_id"] for cell in mine} == {name}
    assert {cell["condition"].split(" = ")[0].removeprefix("d*") for cell in mine} <= {f.name for f in FEATURES}
    by_session = [cell for cell in mine if cell["condition"].startswith("session")]
    assert by_session == [cell for cell in told["cells"] if cell["detector_id"] == name]
    days = [lotus.json("atoms", "show", "--from", day, "--to", day, *PLACE)["cells"] for day in told["days"]]
    assert sum(cell["n"] for cell in told["cells"]) == sum(cell["n"] for day in days for cell in day)
    pairs = lotus.json("atoms", "show", "--detector", name, "--feature", "vol", "--feature", "session", *PLACE)["cells"]
    assert all(cell["condition"].startswith("vol = ") and " and session = " in cell["condition"] for cell in pairs)
    text = lotus("atoms", "show", *PLACE).stdout
    assert "2026-01-05 to 2026-01-08, by session" in text
    assert "Nothing here is a finding" in " ".join(text.split())


def test_wrong_questions_about_atoms_are_answered(lotus: Cli) -> None:
    assert "one of vol, hbar" in lotus.refused("atoms", "show", "--feature", "volume", *PLACE)
    assert "no atoms of detector 'nobody'" in lotus.refused("atoms", "show", "--detector", "nobody", *PLACE)
    assert "one of 2026-01-05 to" in lotus.refused("atoms", "show", "--to", "2020-01-01", *PLACE)
    lotus("atoms", "show", "--feature", "vol", "--feature", "vol", *PLACE, code=2)
