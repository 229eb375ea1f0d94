"""Acts in the ledger: never changed, in force by day, ended by a lift; whoever reads them may write none."""

from dataclasses import replace

import psycopg
import pytest

from lotus.curation.act import CurationAct
from lotus_store.databases import Databases
from lotus_store.ledger.beliefs.acts import (
    act_and_lifts,
    acts_ending_after,
    acts_of_night,
    acts_on,
    acts_until_after,
    put_acts,
)

VETO = CurationAct(
    "", "main", "2026-01-10", "ann", "veto", "x@BTC", 0.0, "why", "", "2026-01-12", "2026-01-20"
).named()  # fmt: skip
NUDGE = replace(VETO, actor="curator:data", kind="nudge", target="x", value=-0.1, until_day="2026-01-13").named()
LIFT = replace(
    VETO, day="2026-01-12", actor="bob", kind="lift", from_day="2026-01-14", revokes=VETO.act_id
).named()  # fmt: skip


def test_acts_are_in_force_by_day_until_they_are_lifted(databases: Databases) -> None:
    with databases.connect("sig") as c:
        put_acts(c, [VETO, NUDGE])
        put_acts(c, [VETO, replace(VETO, branch="other").named()], "message")
        on = {day: [a.act_id for a in acts_on(c, "main", f"2026-01-{day}")] for day in (11, 12, 13, 19, 20)}
        assert on == {11: [], 12: [NUDGE.act_id, VETO.act_id], 13: [VETO.act_id], 19: [VETO.act_id], 20: []}
        assert acts_on(c, "main", "2026-01-13") == [VETO]
        put_acts(c, [LIFT])
        assert [bool(acts_on(c, "main", f"2026-01-{day}")) for day in (13, 14, 19)] == [True, False, False]
        (ended,) = acts_ending_after(c, "main", "2026-01-13")
        assert (ended.act_id, ended.until_day) == (VETO.act_id, "2026-01-14")
        assert not acts_ending_after(c, "main", "2026-01-14")
        assert {a.act_id for a in acts_until_after(c, "main", "2026-01-14")} == {VETO.act_id, LIFT.act_id}
        assert acts_of_night(c, "main", "2026-01-12") == [LIFT]
        assert act_and_lifts(c, "main", VETO.act_id) == [VETO, LIFT]
        assert not act_and_lifts(c, "main", "nosuch")
        rows = c.execute("SELECT event_id FROM governance_acts WHERE branch = 'main' AND act_id = %s", [VETO.act_id])
        assert rows.fetchall() == [("",)], "the first word stands"


@pytest.mark.parametrize("statement", ["UPDATE governance_acts SET value = 1", "DELETE FROM governance_acts"])
def test_no_act_is_changed_or_forgotten(databases: Databases, statement: str) -> None:
    with databases.connect("sig", autocommit=True) as c:
        put_acts(c, [VETO])
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            c.execute(statement)
