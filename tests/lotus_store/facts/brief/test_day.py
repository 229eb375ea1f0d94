"""The lines of the brief: which colour a finding has, and how the page reads without anything to show."""

import json
from dataclasses import dataclass, replace

import pytest

from lotus.manifest import WeaveDefaults
from lotus.priors.vocabulary import DEFAULT
from lotus.timebase import DAY_MS, day_start_ms
from lotus_store.facts.brief.day import (
    AssetData,
    Brief,
    DeskAlarm,
    Guards,
    NightOfWeek,
    _alarms_line,
    _bill_line,
    _checks_line,
    _data_line,
    _letters_line,
    _switch_line,
)
from lotus_store.facts.brief.exploration import Bill
from lotus_store.facts.brief.line import BriefLine, Colour
from lotus_store.facts.brief.page import html, markdown, sections, title_of
from lotus_store.facts.lessons import Night
from lotus_store.ledger.day_commits import DayCommit

NIGHT = Night("main", "2026-01-05", False, {}, (), (), {}, {}, (), (), WeaveDefaults(), DEFAULT)
WHOLE = AssetData("BTC", 1.0, 0, 0, 0.0)
GOOD = BriefLine(Colour.GOOD, "Is it?", "it is", "lotus brief")

ALARM = DeskAlarm(day_start_ms("2026-01-05"), "silence", "<b>", "lifted")
TRIED = {"detector_id": "<i>", "rule": "vol >= 3", "found": "", "drawn": 3.5, "budget": 40.0, "e_against": 1.5}
BILL = Bill("2026-01-05", 3.5, -1.25, ({**TRIED, "publications": 3.5, "usd": -1.25},))


@dataclass(frozen=True, slots=True)
class Case:
    """A line and the colour and words that it must have."""

    line: BriefLine
    colour: str
    words: str


def commit(*checks: dict[str, object]) -> DayCommit:
    return DayCommit("main", "2026-01-05", "signal_events", "", 0, "", {"notes": {}, "checks": list(checks)})


PASSED = {"name": "schema", "passed": True, "text": "as it should be", "numbers": {}, "unseen": False}
FAILED = PASSED | {"name": "live_parity", "passed": False, "text": "3 rows differ"}


@pytest.mark.parametrize(
    "case",
    [
        Case(_data_line((WHOLE,), 0), "good", "100.00% of the expected seconds"),
        Case(_data_line((WHOLE,), 3), "look", "3 lines put aside"),
        Case(_data_line((WHOLE, replace(WHOLE, asset="ETH", share=0.5)), 0), "look", "least ETH with 50.00%"),
        Case(_data_line((), 0), "act", "no tape"),
        Case(_checks_line([commit(PASSED), commit(PASSED | {"unseen": True})]), "good", "2 of 2 passed, 1 of them saw"),
        Case(_checks_line([commit(PASSED, FAILED)]), "act", "1 of 2 passed"),
        Case(_checks_line([commit(PASSED, FAILED)]), "act", "signal_events live_parity: 3 rows differ"),
        Case(_letters_line({"sig": (0, 0), "tr": (0, 0)}), "good", "every message arrived"),
        Case(_letters_line({"sig": (0, 0), "tr": (2, 1)}), "act", "tr: 2 dead letters, 1 lost"),
        Case(_alarms_line(()), "good", "no"),
        Case(_alarms_line((ALARM, replace(ALARM, kind="bare"))), "act", "2 times, at last bare: found <b>; lifted"),
        Case(_bill_line(BILL), "good", "3.5 publications beyond those of the scores, expected to pay -1.25 USD in all"),
        Case(_switch_line(""), "good", "not thrown"),
        Case(_switch_line("flatten"), "act", "no, it is flatten"),
    ],
)
def test_a_finding_has_its_colour_and_its_numbers(case: Case) -> None:
    assert case.line.colour == case.colour
    assert case.words in case.line.answer


def test_an_empty_day_reads_as_sentences() -> None:
    brief = Brief("main", "live", "2026-01-05", NIGHT, NIGHT, {}, (), (GOOD,))
    assert title_of(brief) == "Everything is as it should be"
    page = html(brief)
    for words in ("Nothing is believed", "did not look for lessons", "There is no tape of the day", ">ok<"):
        assert words in page
    assert markdown(brief).count("\n## ") == len(sections(brief))
    worse = replace(brief, lines=(GOOD, replace(GOOD, colour=Colour.ACT), replace(GOOD, colour=Colour.LOOK)))
    assert title_of(worse) == "2 of 3 lines are not green, 1 to act on"
    assert ">ACT<" in html(worse)


def test_alarms_are_those_of_the_days_and_of_the_night_after_them() -> None:
    start = day_start_ms("2026-01-05")
    alarms = [replace(ALARM, time_ms=start + shift) for shift in (-1, 0, 2 * DAY_MS - 1, 2 * DAY_MS)]
    assert Guards("", alarms).between("2026-01-05", "2026-01-05") == tuple(alarms[1:3])
    assert Guards("", alarms).between("2026-01-04", "2026-01-06") == tuple(alarms)


def test_the_week_the_bill_and_the_alarms_are_sections_of_their_own_and_hostile_texts_stay_texts() -> None:
    week = (NightOfWeek("2026-01-04", 12_000, 2, 9, 1, 1.5, 0.5), NightOfWeek("2026-01-05", 0, 0, 0, 1, None, None))
    many = tuple(replace(ALARM, time_ms=k) for k in range(30))
    plain = Brief("main", "live", "2026-01-05", NIGHT, NIGHT, {}, (), (GOOD,))
    brief = replace(plain, alarms=many, bill=BILL, week=week)
    page, text = html(brief), markdown(brief)
    assert len(sections(brief)) == len(sections(plain)) + 3
    for words in ("Exploration, 2026-01-05", "The week: 2 nightly runs", "Alarms of the trader: 30", "not scored"):
        assert words in page
        assert words in text
    assert "2 lessons were accepted or proposed and 9 refused; beliefs gained +1.50 USD" in page
    assert page.count("silence") == 20
    assert not {"<b>", "<i>"} & set(page.replace("<", " <").split())
    assert json.loads(json.dumps(brief.as_json()))["week"][0]["gain_usd"] == 1.5
