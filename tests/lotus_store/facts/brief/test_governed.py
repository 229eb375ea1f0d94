"""What acts hold back, in the brief: vetoes before nudges, those of a later day with that day, none that is over."""

from dataclasses import replace

from lotus.curation.act import CurationAct
from lotus_store.facts.brief.governed import acts_line

VETO = CurationAct(
    "a", "main", "2026-03-04", "curator:data", "veto", "@BTC", 0.0, "another unit", "", "2026-03-06", "2026-03-07"
)
NUDGE = replace(VETO, kind="nudge", target="drift", value=-0.05, reason="alarm", from_day="2026-03-05")


def test_a_veto_is_named_in_the_brief_of_the_night_that_decided_it() -> None:
    line = acts_line([NUDGE, VETO], "2026-03-05")
    assert line.colour == "look"
    assert line.answer == (
        "curator:data: veto of @BTC, another unit, from 2026-03-06 to 2026-03-06; "
        "curator:data: -0.05 on drift, alarm, to 2026-03-06"
    )
    assert "from 2026" not in acts_line([replace(VETO, at_once=True)], "2026-03-05").answer, "it holds already"


def test_nudges_alone_and_what_is_over_ask_for_nothing() -> None:
    assert acts_line([NUDGE], "2026-03-05").colour == "good"
    assert acts_line([NUDGE, VETO], "2026-03-07").answer == "nothing"
