"""The log in the ledger: equal to the batch, and late when the ledger goes away."""

import threading
from pathlib import Path
from typing import Any

import pytest
from ledger_rows import DAY, ledger_events
from tapes import MANIFEST, UNIVERSE, in_order, market, numbered, write

from lotus.detectors.registry import shipped_detectors
from lotus.errors import LedgerError
from lotus_live.daemon import Daemon
from lotus_live.live import run_live
from lotus_live.parity import events_hash, neutral_beliefs, verify_parity
from lotus_live.pipeline.batch import score_tape
from lotus_live.pipeline.day_lane import LaneSpec
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.ledger.signals import live_log

pytestmark = pytest.mark.process("the daemon on recordings, over wall time")
SPEC = LaneSpec(MANIFEST, UNIVERSE, shipped_detectors(), "main")
Lines = list[tuple[int, bytes]]


@pytest.fixture(scope="module")
def lines() -> Lines:
    """Twelve minutes of three assets."""
    return in_order(market(DAY, "09:00", 720, step_ms=500, seed=11))


@pytest.fixture
def recording(lines: Lines, tmp_path: Path) -> Path:
    """Those minutes as a file."""
    return write(tmp_path / "tape.txt", lines)


def paper_rows(databases: Databases, run_id: str) -> tuple[list[Any], list[Any], list[Any]]:
    """Return orders, fills and closed probes of a run."""
    with databases.connect("sig") as connection:
        log = [e for e in live_log.read_log(connection, run_id) if e.kind == "probe"]
        return live_log.read_orders(connection, run_id), live_log.read_fills(connection, run_id), log


def test_events_orders_and_fills_are_in_the_ledger_and_equal_the_batch(
    settings: Settings, databases: Databases, lines: Lines, recording: Path
) -> None:
    result = run_live(settings, [recording], run_id="whole", databases=databases)
    (day,) = score_tape(numbered(lines), SPEC, neutral_beliefs(SPEC))
    assert result.events_hash == events_hash(day.events) == events_hash(ledger_events(databases, "whole"))
    status = result.status
    assert status["published"] == int(day.events["published"].sum()) > 0
    orders, fills, probes = paper_rows(databases, "whole")
    entries = [o for o in orders if o.body["purpose"] == "entry"]
    assert {o.event_id for o in entries} == set(day.events["event_id"][day.events["published"].astype(bool)])
    assert status["paper"]["probes"] == len(probes) == len(entries) - status["paper"]["open"]
    for order in orders:
        assert sum(f.body["lots"] for f in fills if f.order_id == order.order_id) == order.body["filled_lots"]
    closed = {probe.body["event_id"] for probe in probes}
    of_event = {order.order_id: order.event_id for order in orders}
    fees = sum(f.body["fee_usd"] for f in fills if of_event[f.order_id] in closed)
    assert status["paper"]["fees_usd"] == pytest.approx(fees)
    assert verify_parity(recording, MANIFEST).parity
    again = run_live(settings, [recording], run_id="whole", databases=databases)
    assert again.events_hash == result.events_hash
    assert (again.status["lines"], again.status["log"]["written"]) == (0, 0)
    assert paper_rows(databases, "whole") == (orders, fills, probes)


def test_a_ledger_that_goes_away_delays_rows_and_nothing_else(
    settings: Settings, databases: Databases, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run_live(settings, [recording], run_id="there", databases=databases)
    away = threading.Event()
    connect = databases.connect

    def flaky(name: str, autocommit: bool = False) -> Any:
        if away.is_set():
            raise LedgerError("away")
        return connect(name, autocommit)

    def start(daemon: Daemon) -> None:
        away.set()
        threading.Timer(1.5, away.clear).start()

    monkeypatch.setattr(databases, "connect", flaky)
    result = run_live(settings, [recording], run_id="away", databases=databases, on_start=start)
    monkeypatch.undo()
    assert result.events_hash == whole.events_hash == events_hash(ledger_events(databases, "away"))
    assert result.status["log"]["failures"] > 0
