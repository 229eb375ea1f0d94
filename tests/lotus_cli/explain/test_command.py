"""`lotus explain`: exact on stored events, down to the raw lines; told when a number was altered or frames are gone."""

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
from small_home import Cli, Facts

from lotus.detectors.scoring.signal_spec import SIGNAL_EVENTS
from lotus_store.lake import Lake
from lotus_store.tape.store import TapeStore

pytestmark = pytest.mark.process("in the home that `lotus demo` makes")

DAY = "2026-01-08"


def test_a_published_event_is_explained_down_to_its_raw_lines(lotus: Cli, facts: Facts) -> None:
    story = lotus.json("explain", facts["example_event"])
    assert story["exact"] is True
    assert story["event"]["event_id"] == facts["example_event"]
    assert story["event"]["published"] is True
    assert set(story["experts"]) == {"experts_ver", "from_day", "judged_day"}
    assert len(story["experts"]["experts_ver"]) == 32
    compared = [s for s in story["steps"] if s["stored"] is not None]
    assert len(compared) > 10
    assert all(s["exact"] and s["value"] == s["stored"] for s in compared)
    frames = story["frames"]
    assert frames["frames"] == 25
    assert (frames["tape"], frames["day"]) == ("demo-11", DAY)
    store = TapeStore(lotus.home, "demo-11")
    (held,) = [s for s in store.segments(DAY) if s.path == frames["segments"][0]["path"]]
    raw = store.read_segment(held)
    assert hashlib.sha256(raw).hexdigest() == frames["segments"][0]["sha256"]
    lines = raw.decode().split("\n")
    assert frames["lines"][0] == lines[frames["first_seq"] - held.first_seq]
    assert frames["lines"][-1] == lines[frames["last_seq"] - held.first_seq]


def test_the_belief_that_fired_leads_to_its_lesson_and_days(lotus: Cli, facts: Facts) -> None:
    story = lotus.json("explain", facts["example_event"])
    assert len(story["beliefs"]) >= 1
    lessons = {x["lesson_id"]: x for x in facts["lessons"]}
    for belief in story["beliefs"]:
        taught = lessons[belief["lesson_id"]]
        assert (belief["rule"], belief["uplift_bps"]) == (taught["rule"], taught["uplift_bps"])
        assert sum(day["published"] for day in belief["days"]) == taught["published"]
        assert all(day["day"] < DAY for day in belief["days"])
        assert belief["sample"]
    deltas = sum(b["theta_delta"] for b in story["beliefs"])
    (theta1,) = [s["value"] for s in story["steps"] if s["name"] == "theta1"]
    (theta2,) = [s["value"] for s in story["steps"] if s["name"] == "theta2"]
    assert abs(theta1 + deltas - theta2) < 1e-12


def test_the_text_says_the_sum_was_checked(lotus: Cli, facts: Facts) -> None:
    text = lotus("explain", facts["example_event"]).stdout
    for part in (
        "tilts the logit by ",
        "trust: level 0, tilt up to 0.50 logit; E 1, daily signal to noise not known yet",
        "bps per unit of overlap weight",
        "SCORE AND TERMS",
        "sum checked: ",
        "every stored number found again",
        "BELIEFS",
        "FRAMES 25 frames",
        "EXECUTION plan ",
        "told back: closed at local",
    ):
        assert part in text
    assert " nan" not in text


def test_events_with_and_without_publication_and_outcome_are_all_exact(lotus: Cli) -> None:
    events = Lake(lotus.home / "lake").read("signal_events", "demo-11", "2026-01-07")
    for published, executed in ((True, "executed against the tape Y "), (False, "not executed: it was not published")):
        at = np.flatnonzero((events["published"] == published) & (events["s"] != 0.0))
        assert lotus.json("explain", events["event_id"][at[0]])["exact"] is True
        text = lotus("explain", events["event_id"][at[0]]).stdout
        assert executed in text
        assert "EXECUTION no order was sent for this window" in text


def test_an_altered_number_is_found(lotus: Cli, facts: Facts, tmp_path: Path) -> None:
    folder = tmp_path / "lake"
    shutil.copytree(lotus.home / "lake", folder)
    lake = Lake(folder)
    columns = lake.read("signal_events", "demo-11", DAY, spec=SIGNAL_EVENTS)
    mine = columns["event_id"] == facts["example_event"]
    columns["theta2"] = np.where(mine, np.nextafter(columns["theta2"].astype(np.float64), 1.0), columns["theta2"])
    lake.write(SIGNAL_EVENTS, "demo-11", DAY, columns)
    story = lotus.json("explain", facts["example_event"], code=1, LOTUS_LAKE=str(folder))
    assert story["exact"] is False
    assert {s["name"] for s in story["steps"] if s["exact"] is False and s["stored"] is not None} == {"theta2"}
    text = lotus("explain", facts["example_event"], code=1, LOTUS_LAKE=str(folder)).stdout
    assert "A STORED NUMBER DIFFERS" in text


def test_frames_of_another_tape_are_not_passed_off(lotus: Cli, facts: Facts, segment: Path) -> None:
    lotus("import", "--tape", "bystander", segment)
    story = lotus.json("explain", facts["example_event"], "--tape", "bystander")
    assert story["exact"] is True
    assert story["frames"]["lines"] == []
    assert story["frames"]["note"]


def test_an_event_whose_day_left_the_lake_is_told(lotus: Cli, facts: Facts, tmp_path: Path) -> None:
    assert DAY in lotus.refused("explain", facts["example_event"], LOTUS_LAKE=str(tmp_path / "empty"))
