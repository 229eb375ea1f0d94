"""The queue of curation: alarms of monitors as rows, each once, and which of them were told.

What somebody does about an alarm is an act beside it.
"""

from dataclasses import dataclass

from psycopg.rows import class_row

from lotus_store.postgres.queries import Connection, query


@dataclass(frozen=True, slots=True)
class QueuedAlert:
    """One alarm: what was found and expected, of which subject; `act_id` "" where no act followed."""

    alert_id: str
    branch: str
    time_ms: int
    kind: str
    subject: str
    found: str
    expected: str
    severity: str
    act_id: str


def put_alert(connection: Connection, alert: QueuedAlert, event_id: str) -> None:
    """Keep an alarm brought by message `event_id`; the same alarm again changes nothing."""
    row = [alert.branch, alert.alert_id, alert.time_ms, alert.kind, alert.subject, alert.found, alert.expected]
    connection.execute(query("sig", "put_queued_alert"), [*row, alert.severity, alert.act_id, event_id])


def newest_alerts(connection: Connection, branch: str, limit: int) -> list[QueuedAlert]:
    """Return the newest alarms of a branch, newest first."""
    with connection.cursor(row_factory=class_row(QueuedAlert)) as cursor:
        return cursor.execute(query("sig", "queued_alerts"), [branch, limit]).fetchall()


def untold_alerts(connection: Connection, branch: str) -> list[QueuedAlert]:
    """Return the alarms queued in the last 24 hours that nobody was told of, oldest first, at most 100."""
    with connection.cursor(row_factory=class_row(QueuedAlert)) as cursor:
        return cursor.execute(query("sig", "untold_alerts"), [branch]).fetchall()


def claim_alert(connection: Connection, branch: str, alert_id: str) -> bool:
    """Claim the telling of an alarm; False where it was claimed before, by whomever."""
    return connection.execute(query("sig", "claim_alert"), [branch, alert_id]).fetchone() is not None


def was_claimed(connection: Connection, branch: str, alert_id: str) -> bool:
    """Tell whether the telling of an alarm was claimed."""
    row = connection.execute(query("sig", "was_claimed"), [branch, alert_id]).fetchone()
    return row == (True,)
