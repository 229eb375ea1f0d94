"""What the watchdog did reaches the modules once, when the database answers, and is only waited for until then."""

from pathlib import Path

from lotus.modules.intents import Intent, Module
from lotus_desk.watch.alerts import Alert, Alerts, read_alerts
from lotus_desk.watch.messages import Teller
from lotus_desk.watch.rules import Finding
from lotus_store.config import Settings
from lotus_store.databases import Databases


def test_an_alert_is_one_message_however_often_it_is_sent(databases: Databases, settings: Settings) -> None:
    alert = Alert(1_700_000_000_000, "daemon_gone", "no pulse for 31.0 s", "at most 30.0 s", "book: BTC 0.01 closed")
    teller = Teller(settings, Alerts(settings.home))
    assert teller.send([alert])
    assert teller.send([alert])
    with databases.connect(Module.TR.value) as connection:
        rows = connection.execute("SELECT intent, envelope FROM tr_outbox WHERE lifecycle_id <> ''").fetchall()
    told = [
        str(text) for intent, text in rows if intent == Intent.WATCHDOG_ALERT and "book: BTC 0.01 closed" in str(text)
    ]
    assert len(told) == 1
    assert '"to":["sig","dm"]' in told[0].replace(" ", "")


def test_without_a_server_nothing_is_started_and_nothing_is_lost(tmp_path: Path) -> None:
    (tmp_path / "live").mkdir()
    alerts = Alerts(tmp_path)
    assert alerts.tell(Finding("drawdown", "120 USD", "at most 100"), "kill switch thrown: halt")
    assert not alerts.tell(Finding("drawdown", "121 USD", "at most 100"), "kill switch thrown: halt")
    assert not Teller(Settings(tmp_path), alerts).send(alerts.waiting)
    assert not (tmp_path / "pg").exists()
    assert [alert.kind for alert in read_alerts(alerts.path)] == ["drawdown"]
    with alerts.path.open("a") as file:
        file.write('{"time_ms": 1, "ki')
    assert len(read_alerts(alerts.path)) == 1
