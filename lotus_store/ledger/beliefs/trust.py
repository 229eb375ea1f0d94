"""Rows of `braid_trust`: what living micro braids have earned, one a learning day; the state is in the braids."""

from collections.abc import Sequence

import numpy as np

from lotus.weave.earned import TrustRow
from lotus_store.ledger.binary_copy import copy_rows, pick
from lotus_store.postgres.queries import Connection, columns_of_copy, query


def write_trust(connection: Connection, branch: str, day: str, rows: Sequence[TrustRow]) -> int:
    """Make the rows of one night exactly `rows`; return their number."""
    connection.execute(query("sig", "forget_day"), ["braid_trust", branch, day])
    if not rows:
        return 0
    columns = {
        "branch": np.full(len(rows), branch, dtype=object),
        "day": np.full(len(rows), day, dtype=object),
        "braid_id": np.array([row.braid_id for row in rows], dtype=object),
        "level": np.array([row.level for row in rows], dtype=np.int16),
        "e": np.array([row.e for row in rows]),
        "snr_low": np.array([row.snr_low for row in rows]),
        "cap": np.array([row.cap for row in rows]),
        "reason": np.array([row.reason for row in rows], dtype=object),
    }
    return copy_rows(
        connection, query("sig", "copy_trust"), pick(columns, columns_of_copy("sig", "copy_trust"), "trust")
    )


def read_trust(connection: Connection, branch: str, day: str) -> dict[str, TrustRow]:
    """Return the rows of one night by braid."""
    rows = connection.execute(query("sig", "read_trust"), [branch, day])
    return {str(row[0]): TrustRow(*row) for row in rows}


def trust_before(connection: Connection, branch: str, braid_id: str, day: str) -> tuple[str, TrustRow] | None:
    """Return the newest night before `day` that has a row of a braid, and the row; None without one."""
    row = connection.execute(query("sig", "trust_before"), [branch, braid_id, day]).fetchone()
    return (str(row[0]), TrustRow(*row[1:])) if row is not None else None
