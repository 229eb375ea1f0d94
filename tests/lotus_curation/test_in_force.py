"""Acts in force: by day, lifted ones not, one of each actor; tables under them come back to what they were."""

from dataclasses import replace

import pytest

from lotus.curation.act import CurationAct
from lotus.curation.in_force import acted, in_force
from lotus.detectors.daily.make import day_tables
from lotus.detectors.daily.tables import DayTables, tables_from_json, tables_to_json
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.scoring.signal_spec import DATA, PERSON
from lotus.manifest import Manifest

DETECTORS = shipped_detectors()
FIRST, SECOND = DETECTORS[0].detector_id, DETECTORS[1].detector_id
VETO = CurationAct("", "main", "2026-01-10", "ann", "veto", f"{FIRST}@BTC", 0.0, "r", "", "2026-01-12", "2026-01-15")
NUDGE = replace(VETO, actor="curator:data", kind="nudge", target=FIRST, value=-0.1, until_day="2026-01-13")


@pytest.fixture(scope="module")
def tables() -> DayTables:
    m = Manifest()
    return day_tables("2026-01-12", [], m, m.universe, DETECTORS)


def test_an_act_holds_on_its_days_until_it_is_lifted() -> None:
    veto = VETO.named()
    lift = replace(veto, actor="bob", kind="lift", from_day="2026-01-14", revokes=veto.act_id).named()
    days = [f"2026-01-{k}" for k in range(11, 17)]
    assert [bool(in_force([veto], day)) for day in days] == [False, True, True, True, False, False]
    assert [bool(in_force([lift, veto], day)) for day in days] == [False, True, True, False, False, False]


def test_of_one_actor_the_later_night_counts() -> None:
    again = replace(NUDGE, day="2026-01-11", value=-0.05).named()
    other = replace(NUDGE, actor="curator:regime").named()
    for acts in ([NUDGE.named(), again, other], [other, again, NUDGE.named()]):
        assert in_force(acts, "2026-01-12") == [again, other]


def test_tables_are_under_the_acts_of_their_day_and_no_others(tables: DayTables) -> None:
    assert acted(tables, []) == tables
    every = acted(tables, [replace(VETO, target="@BTC", actor="curator:data"), VETO, NUDGE])
    assert every.tables_ver != tables.tables_ver
    assert tables_from_json(tables_to_json(every)) == every
    btc = every.assets.index("BTC")
    assert [row[btc] for row in every.curator_veto] == [DATA | PERSON, *[DATA] * (len(DETECTORS) - 1)]
    assert all(sum(row) == row[btc] for row in every.curator_veto)
    assert every.curator_nudge == ({"curator:data": -0.1}, *[{}] * (len(DETECTORS) - 1))
    assert acted(every, [VETO]) == acted(tables, [VETO])
    assert acted(every, []) == tables
    assert acted(every, []).tables_ver == tables.tables_ver
    gone = [replace(VETO, target="nosuch"), replace(VETO, target="@NOSUCH"), replace(NUDGE, target=f"{SECOND}x")]
    assert acted(tables, gone) == tables


def test_an_acts_name_is_all_that_it_says() -> None:
    assert VETO.named() == VETO.named()
    changes = {
        "branch": "b",
        "day": "2026-01-09",
        "actor": "bob",
        "kind": "lift",
        "target": "x",
        "value": 0.01,
        "reason": "q",
        "evidence_ref": "e",
        "from_day": "2026-01-13",
        "until_day": "2026-01-16",
        "revokes": "z",
    }
    names = {VETO.named().act_id, *(replace(VETO, **{k: v}).named().act_id for k, v in changes.items())}
    assert len(names) == 1 + len(changes)
