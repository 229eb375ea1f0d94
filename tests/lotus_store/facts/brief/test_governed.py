"""What acts hold back, in the brief: vetoes first, none that is over; the week tells who moved on the ladder."""

from dataclasses import replace

import pytest

from lotus.curation.act import CurationAct
from lotus.governance.ladder import LadderStanding, Rung, step_of
from lotus.governance.ladder_table import LADDER_STEPS, step_rows
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.facts.brief.governed import acts_line, governed_of
from lotus_store.lake import Lake

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
    idle = acts_line([replace(NUDGE, actor="allocator", kind="idle", target="rare_book", value=0.0)], "2026-03-05")
    assert idle.answer.startswith("allocator: rare_book is not computed, ")
    assert acts_line([replace(NUDGE, actor="ann", kind="sign_off", value=0.0)], "2026-03-05").answer == "nothing"
    assert acts_line([NUDGE, VETO], "2026-03-07").answer == "nothing"


@pytest.mark.parametrize(("day", "answer"), [("2026-01-12", "1 of 2 moved on Monday 2026-01-12"), ("2026-01-19", "No")])
def test_the_week_tells_who_moved_on_the_ladder_first(
    settings: Settings, databases: Databases, day: str, answer: str
) -> None:
    known = {"conforms": True, "audits": True, "cost_in_quota": True, "modelled_low_bps": 1.0}
    many = [
        LadderStanding("detector", "a v1", Rung.OFFLINE),
        LadderStanding("detector", "b v1", Rung.OFFLINE, **known, learning_days=9),
    ]
    rows = step_rows([(one, step_of(one)) for one in many], {}, "2026-01-12")
    Lake(settings.lake_root).write(LADDER_STEPS, settings.branch, "2026-01-12", rows)
    with databases.connect("sig") as sig:
        week = {table.title: table for table in governed_of(settings, sig, day, with_week=True).week}
    found = week["Steps of the ladder"]
    assert found.sentence.startswith(answer)
    assert [row[:3] for row in found.rows[:1]] == ([("b v1", "offline", "shadow")] if answer[0] == "1" else [])
    assert set(week) > {"Curators", "Credit of experts", "Who was given compute", "What was asked of stored days"}
