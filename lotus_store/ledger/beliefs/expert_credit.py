"""Weekly credit of micro-experts and of braids in the sig database. Nothing is decided here."""

from collections.abc import Sequence
from dataclasses import astuple

from lotus.governance.credit.braid_credit import BraidCredit
from lotus.governance.credit.credit_summary import ExpertCredit
from lotus_store.postgres.queries import Connection, query


def write_expert_credit(connection: Connection, branch: str, day: str, credits: Sequence[ExpertCredit]) -> None:
    """Replace the credit of a branch and Monday."""
    with connection.cursor() as cursor:
        cursor.execute(query("sig", "clear_expert_credit"), [branch, day])
        cursor.executemany(query("sig", "put_expert_credit"), [(branch, day, *astuple(c)) for c in credits])


def write_braid_credit(connection: Connection, branch: str, day: str, credits: Sequence[BraidCredit]) -> None:
    """Replace the credit of the braids of a branch and Monday."""
    with connection.cursor() as cursor:
        cursor.execute(query("sig", "clear_braid_credit"), [branch, day])
        cursor.executemany(query("sig", "put_braid_credit"), [(branch, day, *astuple(c)) for c in credits])


def newest_credit(connection: Connection, branch: str, until: str) -> list[ExpertCredit]:
    """Return the credit of the newest Monday up to a day, in key order; nothing before there is any."""
    row = connection.execute(query("sig", "newest_credit"), [branch, until]).fetchone()
    return [] if row is None or row[0] is None else credit_on(connection, branch, str(row[0]))


def credit_on(connection: Connection, branch: str, day: str) -> list[ExpertCredit]:
    """Return the credit of a Monday, in key order."""
    return [ExpertCredit(*row) for row in connection.execute(query("sig", "expert_credit_on"), [branch, day])]
