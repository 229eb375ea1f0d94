"""Links between modules: quotas, bounded queues, marks made durable."""

from dataclasses import replace

from lotus.modules.intents import Module, Reason
from lotus_herald.carry import Carrier, carry
from lotus_herald.keys import Keys
from lotus_herald.links import Links
from lotus_herald.outbox import send_many
from lotus_herald.routes import Routes
from lotus_store.databases import Databases
from lotus_store.ledger.messages import boxes

from .conftest import alert

NOW = 1_735_689_600_000


def say(databases: Databases, keys: Keys, n: int, start: int = 0, **changes: object) -> None:
    with databases.connect("sig") as connection:
        said = [alert(f"m{k}", **changes) for k in range(start, start + n)]  # type: ignore[arg-type]
        send_many(connection, Module.SIG, said, keys)


def rows(databases: Databases, text: str) -> list[tuple[object, ...]]:
    name = "dm" if "dm_" in text else "sig"
    with databases.connect(name) as connection:
        return connection.execute(text).fetchall()  # type: ignore[call-overload, no-any-return]


def test_a_quota_sheds_normal_messages_and_they_can_be_replayed(databases: Databases, keys: Keys) -> None:
    say(databases, keys, 8)
    say(databases, keys, 2, start=8, priority=2)
    with Links(databases) as links:
        carried = Carrier(links, routes=replace(Routes(), quota_per_minute=5)).carry(NOW)
    assert (carried.delivered, carried.dead) == ({"dm": 5}, {"shed": 5})
    first = rows(databases, "SELECT lifecycle_id FROM dm_inbox ORDER BY arrival LIMIT 2")
    assert first == [("m8",), ("m9",)]
    with databases.connect("sig") as connection:
        for letter in boxes.dead_letters(connection, "sig"):
            assert letter.reason == Reason.SHED
            boxes.replay(connection, "sig", letter.event_id, "outbox")
    assert carry(databases).delivered == {"dm": 5}


def test_the_queue_is_bounded_and_the_lowest_and_oldest_go_first(databases: Databases, keys: Keys) -> None:
    for priority in (0, 1, 2):
        say(databases, keys, 10, start=10 * priority, priority=priority)
    with Links(databases) as links:
        carrier = Carrier(links, routes=replace(Routes(), batch=2, queue=12))
        carried = carrier.carry(NOW)
    assert carried.delivered == {"dm": 14}
    assert carried.dead == {"shed": 16}
    kept = rows(databases, "SELECT lifecycle_id FROM dm_inbox WHERE priority < 2 ORDER BY arrival")
    assert kept == [(f"m{k}",) for k in range(16, 20)]
    assert rows(databases, "SELECT count(*) FROM sig_dead_letter WHERE reason = 'shed'") == [(16,)]
    assert len(rows(databases, "SELECT FROM sig_outbox WHERE dispatched_at IS NULL")) == 0


def test_history_is_never_shed(databases: Databases, keys: Keys) -> None:
    say(databases, keys, 30)
    with Links(databases) as links:
        routes = replace(Routes(), batch=2, queue=1, quota_per_minute=1)
        assert Carrier(links, routes=routes).carry(None).delivered == {"dm": 30}


def test_inboxes_on_another_server_are_made_durable_before_the_mark(databases: Databases, keys: Keys) -> None:
    say(databases, keys, 2)
    with Links(databases) as links:
        links.get("dm", "in")
        links._servers |= {"dm": "another server", "atlas": "a third"}
        assert Carrier(links).carry(NOW).delivered == {"dm": 2}
    with Links(databases) as links:
        inbox, consumer = links.get("dm", "in"), links.get("dm", "consume")
        assert inbox.execute("SHOW synchronous_commit").fetchone() == ("off",)
        assert consumer.execute("SHOW synchronous_commit").fetchone() == ("on",)
