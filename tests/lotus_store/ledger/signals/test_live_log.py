"""The log of the daemon and the commands that it takes, each once."""

from dataclasses import replace

from lotus_store.databases import Databases
from lotus_store.ledger.signals import live_log

from ..made_rows import some_events

DAY = "2025-01-02"


def test_the_live_log(databases: Databases) -> None:
    rows = some_events(20)
    entries = [live_log.LogEntry(k, 5 * k, "swap", {"priors_ver": "x"}) for k in range(3)]
    order = live_log.OrderRow("o1", "e1", "BTC", 5, "open", {"px": 1.25})
    fill = live_log.FillRow("f1", "o1", "BTC", 6, {"px": 1.25})
    with databases.connect("sig") as c:
        assert live_log.append_events(c, "run", {n: v[:15] for n, v in rows.items()}) == 15
        assert live_log.append_events(c, "run", rows) == 5
        c.commit()
        assert live_log.append_events(c, "run", rows) == 0
        found = live_log.read_live_events(c, "main", DAY)
        assert len(found) == 20
        assert {x["event_id"] for x in found} == set(rows["event_id"])
        assert live_log.live_runs(c, "main", DAY) == ["run"]
        for _ in range(2):
            live_log.append_log(c, "run", entries)
            live_log.put_orders(c, "run", [order, replace(order, state="filled")])
            live_log.put_fills(c, "run", [fill])
        assert live_log.read_log(c, "run") == entries
        assert live_log.read_orders(c, "run") == [replace(order, state="filled")]
        assert live_log.read_fills(c, "run") == [fill]


def test_commands_are_taken_once(databases: Databases) -> None:
    with databases.connect("sig") as c:
        first = live_log.command(c, live_log.SWAP_DETECTORS, {"detectors": []})
        second = live_log.command(c, "nonsense")
    with databases.connect("sig") as c, databases.connect("sig") as other:
        assert live_log.take_commands(c) == [
            (first, live_log.SWAP_DETECTORS, {"detectors": []}),
            (second, "nonsense", {}),
        ]
        assert live_log.take_commands(other) == []
        live_log.finish_command(c, first, {"ok": True})
    with databases.connect("sig") as c:
        assert live_log.take_commands(c) == []
