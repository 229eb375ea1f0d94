"""The status counts what was done."""

from lotus.modules.intents import Module
from lotus_herald.carry import Carrier
from lotus_herald.keys import Keys
from lotus_herald.links import Links
from lotus_herald.outbox import send_many
from lotus_herald.report import herald_status
from lotus_store.databases import Databases
from lotus_store.ledger.messages import herald_books

from .conftest import alert

NOW = 1_735_689_600_000


def say(databases: Databases, keys: Keys, n: int, start: int = 0, **changes: object) -> None:
    with databases.connect("sig") as connection:
        said = [alert(f"m{k}", **changes) for k in range(start, start + n)]  # type: ignore[arg-type]
        send_many(connection, Module.SIG, said, keys)


def test_status_counts_what_was_done(databases: Databases, keys: Keys) -> None:
    say(databases, keys, 3)
    with Links(databases) as links:
        carrier = Carrier(links)
        carrier.carry(NOW)
        told = herald_status(databases)["sig"]
    assert told["served"]
    assert told["intents"] == {"WATCHDOG_ALERT": {"to": {"dm": 3}, "dead": {}, "repeated": 0, "success": 1.0}}
    assert (told["outbox"], told["retries"], told["dead"]) == (0, 0, {})
    assert herald_status(databases)["dm"]["inbox"] == 3
    with databases.connect("sig") as connection:
        assert herald_books.counts(connection, "sig") == {("dm", "WATCHDOG_ALERT", "delivered"): 3}
