"""An alarm goes from a monitor to the queue, once; other alerts of the same intent stay records."""

from msgspec.structs import replace

from lotus.hashing import natural_id
from lotus.modules.intents import Module
from lotus.modules.messages.monitoring import MonitorAlert
from lotus.weave.watchdog import BraidAlert
from lotus_herald.carry import carry
from lotus_herald.consume import consume
from lotus_herald.keys import Keys
from lotus_modules.handlers import SLOW
from lotus_modules.priors.weave_notes import tell_alerts
from lotus_modules.sig.monitored import tell_monitor
from lotus_store.databases import Databases
from lotus_store.ledger.curation_queue import newest_alerts

ALERT = MonitorAlert(
    branch="main", time_ms=7_200_000, kind="sla_minutes", subject="'; DROP TABLE braids; --", found="97 %",
    expected=">= 99 %", severity="error",
)  # fmt: skip


def test_an_alarm_becomes_one_row_and_an_act_of_the_watchdog_none(databases: Databases, keys: Keys) -> None:
    braid = BraidAlert("braid", "d0", "expired", "its time is over", 0.0)
    with databases.connect("sig") as sig:
        for alert in (ALERT, replace(ALERT, found="98 %"), replace(ALERT, time_ms=3_600_000)):
            tell_monitor(sig, alert, keys)
        tell_alerts(sig, "main", "2026-01-05", [braid], natural_id("version"), keys)
    carry(databases, "main", senders=(Module.SIG,))
    assert consume(databases, Module.SIG, SLOW[Module.SIG], keys, 0, "main") == {"applied": 3}
    with databases.connect("sig") as sig:
        rows = newest_alerts(sig, "main", 10)
        assert [(row.time_ms, row.found) for row in rows] == [(7_200_000, "97 %"), (3_600_000, "97 %")]
        assert {row.subject for row in rows} == {ALERT.subject}
        assert newest_alerts(sig, "other", 10) == []
