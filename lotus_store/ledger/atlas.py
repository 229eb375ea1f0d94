"""The atlas ledger: one row for each message that was delivered or died, written by the Herald."""

import psycopg

from lotus.modules.envelope import Envelope
from lotus_store.postgres.queries import query


def record(connection: psycopg.Connection[tuple[object, ...]], e: Envelope, status: str, attempts: int) -> None:
    """Record a message with its status; the same status again changes nothing."""
    connection.execute(
        query("atlas", "put_ledger"),
        [
            e.event_id,
            e.sender.value,
            e.intent.value,
            f"{e.sender.value}_outbox",
            e.event_id,
            e.branch,
            e.lifecycle_id,
            e.parent_id,
            list(e.tags),
            e.priority,
            e.ttl_sec,
            attempts,
            status,
        ],
    )
