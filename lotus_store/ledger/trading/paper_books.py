"""A paper account's own books in the tr database: its head, its orders and its fills, as the account gives them.

A change is one transaction; what is saved again stays as it is. What the values mean is `lotus_venues.paper_account`'s.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg

from lotus.errors import LedgerError
from lotus.timebase import HOUR_MS, NS_PER_MS
from lotus_store.databases import Connection, Databases
from lotus_store.ledger.bodies import to_body
from lotus_store.postgres.queries import query

KEPT_MS = 6 * HOUR_MS  # orders that ended and fills are loaded that far back
FINAL = ("filled", "canceled", "rejected", "never_placed")


@dataclass(slots=True)
class PaperBooks:
    """The books of one account, on a connection of its own that is opened again when it broke."""

    databases: Databases
    account: str
    _connection: Connection | None = field(default=None)

    def load(self) -> Mapping[str, Any] | None:
        """Return the account as it was saved last, None before the first save. Raises `LedgerError`."""
        try:
            with self.databases.connect("tr") as connection:
                return self._load(connection)
        except psycopg.Error as problem:
            raise LedgerError(f"paper account {self.account} cannot be read: {problem}", "its rows") from problem

    def save(self, change: Mapping[str, Any]) -> None:
        """Keep a change, all of it or nothing. Raises `LedgerError`."""
        try:
            connection = self._connection
            if connection is None:
                connection = self._connection = self.databases.connect("tr", autocommit=True)
            with connection.transaction():
                self._save(connection, change)
        except psycopg.Error as problem:
            self.close()
            raise LedgerError(f"paper account {self.account} cannot be saved: {problem}", "a commit") from problem

    def close(self) -> None:
        """Close the connection; the next save opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _load(self, connection: Connection) -> Mapping[str, Any] | None:
        row = connection.execute(query("tr", "paper_account"), [self.account]).fetchone()
        if row is None:
            return None
        head: Any = row[0]
        since_ms = head["now_ns"] // NS_PER_MS - KEPT_MS
        bodies: list[Any] = [b for (b,) in connection.execute(query("tr", "paper_orders"), [self.account, since_ms])]
        orders = {body["client_id"]: body for body in bodies}
        tied = {name for o in orders.values() for name in (o["parent"], *o["exits"], *o["siblings"]) if name}
        missing = sorted(tied - orders.keys())
        if missing:
            bodies += [b for (b,) in connection.execute(query("tr", "paper_orders_named"), [self.account, missing])]
        fills = [b for (b,) in connection.execute(query("tr", "paper_fills"), [self.account, since_ms])]
        return {"head": head, "orders": bodies, "fills": fills}

    def _save(self, connection: Connection, change: Mapping[str, Any]) -> None:
        head, marks = to_body(change["head"]), to_body(change.get("marks", {}))
        connection.execute(query("tr", "put_paper_account"), [self.account, head, marks])
        with connection.cursor() as cursor:
            orders = [
                [self.account, o["client_id"], o["state"] in FINAL, o["changed_ms"], to_body(o)]
                for o in change["orders"]
            ]
            cursor.executemany(query("tr", "put_paper_order"), orders)
            fills = [[self.account, f["number"], f["time_ms"], to_body(f)] for f in change["fills"]]
            cursor.executemany(query("tr", "put_paper_fill"), fills)


def paper_marks(connection: Connection) -> dict[str, Mapping[str, Any]]:
    """Return the last marks (millionths of a dollar, and their time) of every paper account."""
    rows: Any = connection.execute(query("tr", "paper_marks"))
    return {str(account): marks for account, marks in rows}
