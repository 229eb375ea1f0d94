"""Alarms of monitors: sent by sig to itself, kept in the queue of curation, where people find them."""

from lotus.modules.intents import Module
from lotus.modules.messages.beliefs import WatchdogAlert
from lotus.modules.messages.monitoring import MonitorAlert, alert_key, monitor_message
from lotus.modules.messages.trading import SafetyAlert
from lotus_herald.consume import Delivery
from lotus_herald.keys import Keys
from lotus_herald.outbox import send
from lotus_modules.priors.weave_notes import note_alert
from lotus_store.databases import Connection
from lotus_store.ledger.curation_queue import QueuedAlert, put_alert


def tell_monitor(connection: Connection, alert: MonitorAlert, keys: Keys) -> None:
    """Put an alarm into sig's outbox, in the caller's transaction; safe to repeat."""
    send(connection, Module.SIG, monitor_message(alert), keys)


def queue_alert(delivery: Delivery[MonitorAlert | WatchdogAlert | SafetyAlert]) -> str:
    """Handle WATCHDOG_ALERT in sig: an alarm of a monitor becomes a row of the queue; of others the message is it."""
    alert = delivery.payload
    if not isinstance(alert, MonitorAlert):
        return note_alert(delivery)  # type: ignore[arg-type]  # the other two forms
    row = QueuedAlert(
        alert_id=alert_key(alert),
        branch=alert.branch,
        time_ms=alert.time_ms,
        kind=alert.kind,
        subject=alert.subject,
        found=alert.found,
        expected=alert.expected,
        severity=alert.severity,
        act_id=alert.act_id,
    )
    put_alert(delivery.connection, row, delivery.envelope.event_id)
    return "applied"
