"""The KPIs of curators in the ledger: rows of each night in sig, what dm and tr say of their own, newest ones by view.

What a KPI means is `lotus.curation.kpis`'.
"""

from collections.abc import Sequence
from dataclasses import astuple

from lotus.curation.kpis import KpiRow
from lotus_store.postgres.queries import Connection, query


def put_kpis(connection: Connection, branch: str, day: str, rows: Sequence[KpiRow]) -> None:
    """Make the rows of a night exactly these."""
    connection.execute(query("sig", "drop_curator_kpis"), [branch, day])
    with connection.cursor() as cursor:
        cursor.executemany(query("sig", "put_curator_kpi"), [(branch, day, *astuple(row)) for row in rows])


def newest_kpis(connection: Connection, branch: str) -> list[KpiRow]:
    """Return the rows of the branch's newest night."""
    return [KpiRow(*row) for row in connection.execute(query("sig", "newest_curator_kpis"), [branch])]


def decided_kpis(connection: Connection, branch: str, since_ms: int, until_ms: int) -> list[KpiRow]:
    """Return of the decision-maker's curators in which share of its decisions of the book each acted."""
    rows = connection.execute(query("dm", "curators_of_decisions"), [branch, since_ms, until_ms])
    return [
        KpiRow("dm", str(name), f"decisions {acted}, share", hits / n, None, None, n)
        for name, acted, hits, n in rows
        if n
    ]


def planned_kpis(connection: Connection, branch: str, since_ms: int, until_ms: int) -> list[KpiRow]:
    """Return of the trader's curators how often each objected, and what executed plans cost that it let pass."""
    out = []
    for name, spoke, objected, paid, cost in connection.execute(
        query("tr", "curators_of_plans"), [branch, since_ms, until_ms]
    ):
        if spoke:
            out.append(KpiRow("tr", str(name), "plans it objected to, share", objected / spoke, None, None, spoke))
        if paid:
            out.append(KpiRow("tr", str(name), "slippage of plans it let pass, bps", float(cost), None, None, paid))
    return out
