"""Acts over midnight: each day's lane is born under the acts of its day, and the bus finds the tables it was given."""

from dataclasses import replace

from lotus.curation.act import CurationAct
from lotus.detectors.daily.make import day_tables
from lotus.detectors.registry import shipped_detectors
from lotus.manifest import Manifest
from lotus.timebase import next_day
from lotus_live.pipeline.beliefs import KnownTables, LedgerBeliefs, fresh_acts
from lotus_live.pipeline.day_lane import LaneSpec
from lotus_store.databases import Databases
from lotus_store.ledger.beliefs.acts import put_acts

M = Manifest()
SPEC = LaneSpec(M, M.universe, shipped_detectors(), "main")
FIRST = "2026-01-05"
DAYS = [next_day(FIRST, k) for k in range(6)]
NAME = SPEC.detectors[0].detector_id
VETO = CurationAct("", "main", DAYS[0], "ann", "veto", f"{NAME}@BTC", 0.0, "r", "", DAYS[2], DAYS[4]).named()


def test_each_day_is_born_under_its_acts(databases: Databases) -> None:
    with databases.connect("sig") as sig:
        put_acts(sig, [VETO])
    beliefs = LedgerBeliefs(SPEC, acts=fresh_acts(databases, SPEC))
    plain = beliefs.tables(FIRST)
    assert [beliefs.tables(day).tables_ver == plain.tables_ver for day in DAYS] == [
        True,
        True,
        False,
        False,
        True,
        True,
    ]
    assert {plain.tables_ver, beliefs.tables(DAYS[2]).tables_ver} == set(beliefs.given)
    acted = replace(beliefs.tables(DAYS[3]), day=DAYS[3])
    beliefs.by_day = {DAYS[3]: KnownTables(acted, acted, True)}
    assert beliefs.tables(DAYS[3]) is acted, "as batch scored it"
    assert beliefs.tables(DAYS[4]).tables_ver == plain.tables_ver, "what it left is under the acts of the next day"


def test_a_poll_reads_what_may_still_hold_and_a_lift_ends_it(databases: Databases) -> None:
    lift = replace(VETO, actor="bob", kind="lift", from_day=DAYS[3], until_day=DAYS[5], revokes=VETO.act_id).named()
    with databases.connect("sig") as sig:
        put_acts(sig, [VETO])
        sig.commit()
        assert set(fresh_acts(databases, SPEC, DAYS[3])) == {VETO.act_id}
        assert fresh_acts(databases, SPEC, DAYS[4]) == {}
        put_acts(sig, [lift])
        sig.commit()
    beliefs = LedgerBeliefs(SPEC, acts=fresh_acts(databases, SPEC))
    blank = day_tables(FIRST, [], M, M.universe, SPEC.detectors)
    assert [beliefs.tables(day).tables_ver == blank.tables_ver for day in DAYS[2:4]] == [False, True]
