"""KPIs of a night are its own and the newest are shown; what plans say of the trader's curators is counted."""

import json

from lotus.curation.kpis import KpiRow
from lotus_store.databases import Databases
from lotus_store.ledger.curator_kpis import decided_kpis, newest_kpis, planned_kpis, put_kpis
from lotus_store.ledger.day_commits import DayCommit, commit_day

ROW = KpiRow("sig", "regime", "value of nudges, bps", -1.5, -2.0, -1.0, 7)


def test_a_night_has_its_own_rows_and_the_newest_are_shown(databases: Databases) -> None:
    with databases.connect("sig") as sig:
        for day, rows in (("2026-01-05", [ROW]), ("2026-01-06", [ROW]), ("2026-01-06", []), ("2026-01-05", [ROW])):
            put_kpis(sig, "main", day, rows)
            commit_day(sig, DayCommit("main", day, "governance_acts", "h", 1, "i", {}))
        assert newest_kpis(sig, "main") == [], "of the newest night, which was decided again without any"
        put_kpis(sig, "main", "2026-01-06", [ROW])
        assert newest_kpis(sig, "main") == [ROW]
        assert newest_kpis(sig, "other") == []


def test_plans_tell_how_often_a_curator_objected_and_what_the_others_cost(databases: Databases) -> None:
    said = [
        (0.9, False, "done", 2.0),
        (0.8, False, "done", 4.0),
        (0.1, True, "refused", None),
        (None, False, "done", None),
    ]
    with databases.connect("tr") as tr:
        for k, (score, objects, stage, cost) in enumerate(said):
            tr.execute(
                "INSERT INTO tr_plans (plan_id, branch, decision_id, lifecycle_id, kind, coin, venue, stage,"
                " created_ms, plan, reference, execution)"
                " VALUES (%s, 'main', 'd', 'l', 'book', 'BTC', 'v', %s, %s, '{}', '{}', '{}')",
                [f"p{k}", stage, 1_000 + k],
            )
            curators = {"curators": {"venue": {"score": score, "objects": objects, "reason": "r"}}}
            metrics = None if cost is None else json.dumps({"slippage_arrival_bps": cost})
            tr.execute(
                "INSERT INTO tr_strand (id, lifecycle_id, kind, tr_predict, exec_metrics)"
                " VALUES (%s, 'l', 'k', %s, %s)",
                [f"p{k}", json.dumps(curators), metrics],
            )
        rows = {row.kpi: (row.curator, row.value, row.n) for row in planned_kpis(tr, "main", 0, 2_000)}
        assert rows == {
            "plans it objected to, share": ("venue", 1 / 3, 3),
            "slippage of plans it let pass, bps": ("venue", 3.0, 2),
        }
        assert planned_kpis(tr, "main", 0, 1_000) == planned_kpis(tr, "other", 0, 2_000) == []


def test_decisions_without_a_book_say_nothing(databases: Databases) -> None:
    ticket = {"curation": {"cuts": [], "vetoes": [{"coin": "BTC"}], "nudges": []}}
    with databases.connect("dm") as dm:
        for k, (kind, body) in enumerate((("book", ticket), ("probe", ticket), ("book", {}))):
            dm.execute(
                "INSERT INTO dm_decisions (decision_id, branch, lifecycle_id, kind, time_ms, ticket)"
                " VALUES (%s, 'main', 'l', %s, 10, %s)",
                [f"d{k}", kind, json.dumps(body)],
            )
        found = {row.curator: (row.value, row.n) for row in decided_kpis(dm, "main", 0, 20)}
        assert found == {"risk": (0.0, 1), "compliance": (1.0, 1), "overlay": (0.0, 1)}
        assert decided_kpis(dm, "main", 11, 20) == []
