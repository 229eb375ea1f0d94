"""One Herald a source, takeover, shedding, gaps, retries, and what the status tells."""

import time
from contextlib import closing
from dataclasses import replace

import pytest

from lotus.modules.intents import Module, Reason
from lotus_herald.carry import Carrier, carry
from lotus_herald.gaps import GapWatch
from lotus_herald.keys import Keys
from lotus_herald.links import Links
from lotus_herald.outbox import send_many
from lotus_herald.report import herald_status
from lotus_herald.routes import load_routes
from lotus_store.databases import Databases
from lotus_store.ledger import herald_books, messages

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


def test_many_at_once_are_numbered_like_one_by_one(databases: Databases, keys: Keys) -> None:
    say(databases, keys, 3)
    say(databases, keys, 5)
    with databases.connect("sig") as connection:
        texts = send_many(connection, Module.SIG, [alert("m9"), alert("m1"), alert("m9")], keys)
    assert texts[0] == texts[2]
    found = rows(databases, "SELECT seq, lifecycle_id FROM sig_outbox ORDER BY seq")
    assert found == [(k + 1, f"m{k}") for k in range(5)] + [(6, "m9")]


def test_a_second_herald_stands_by_and_takes_over(databases: Databases, keys: Keys) -> None:
    say(databases, keys, 2)
    with Links(databases) as first, Links(databases) as second:
        serving, waiting = Carrier(first, "main"), Carrier(second, "main")
        assert serving.carry(NOW).delivered == {"dm": 2}
        say(databases, keys, 1, start=2)
        left = waiting.carry(NOW)
        assert (left.total, left.standing_by) == (0, ("sig", "dm", "tr", "vis"))
        assert Carrier(second, "other").carry(NOW).standing_by == (), "another branch is another source"
        with databases.owner("sig", autocommit=True) as connection:  # the first one's session dies
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks JOIN pg_stat_activity USING (pid) "
                "WHERE locktype = 'advisory' AND objid = (hashtext('main')::bigint & 4294967295)::oid "
                "AND pid <> pg_backend_pid()"
            )
        assert waiting.carry(NOW, [Module.SIG]).delivered == {"dm": 1}
        assert serving.carry(NOW, [Module.SIG]).silent == ("sig",)
        assert serving.carry(NOW, [Module.SIG]).standing_by == ("sig",)


@pytest.mark.parametrize("failpoint", ["claimed", "put in", "delivered", "marking", "marked"])
def test_a_crash_at_any_failpoint_loses_and_doubles_nothing(databases: Databases, keys: Keys, failpoint: str) -> None:
    def dies(label: str) -> None:
        if label == failpoint:
            raise ZeroDivisionError

    say(databases, keys, 3, to=(Module.DM, Module.TR))
    with pytest.raises(ZeroDivisionError), Links(databases) as links:
        Carrier(links, failpoint=dies).carry(NOW)
    carry(databases)
    found = rows(databases, "SELECT lifecycle_id FROM dm_inbox ORDER BY arrival")
    assert found == [("m0",), ("m1",), ("m2",)]
    assert rows(databases, "SELECT DISTINCT outcome FROM sig_outbox") == [("delivered",)]


def test_a_quota_sheds_normal_messages_and_they_can_be_replayed(databases: Databases, keys: Keys) -> None:
    say(databases, keys, 8)
    say(databases, keys, 2, start=8, priority=2)
    with Links(databases) as links:
        carried = Carrier(links, routes=replace(load_routes(), quota_per_minute=5)).carry(NOW)
    assert (carried.delivered, carried.dead) == ({"dm": 5}, {"shed": 5})
    first = rows(databases, "SELECT lifecycle_id FROM dm_inbox ORDER BY arrival LIMIT 2")
    assert first == [("m8",), ("m9",)]
    with databases.connect("sig") as connection:
        for letter in messages.dead_letters(connection, "sig"):
            assert letter.reason == Reason.SHED
            messages.replay(connection, "sig", letter.event_id, "outbox")
    assert carry(databases).delivered == {"dm": 5}


def test_the_queue_is_bounded_and_the_lowest_and_oldest_go_first(databases: Databases, keys: Keys) -> None:
    for priority in (0, 1, 2):
        say(databases, keys, 10, start=10 * priority, priority=priority)
    with Links(databases) as links:
        carrier = Carrier(links, routes=replace(load_routes(), batch=2, queue=12))
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
        routes = replace(load_routes(), batch=2, queue=1, quota_per_minute=1)
        assert Carrier(links, routes=routes).carry(None).delivered == {"dm": 30}


def test_a_lost_row_is_healed_from_an_inbox_and_an_unknown_one_alarmed(databases: Databases, keys: Keys) -> None:
    say(databases, keys, 4)
    carry(databases)
    with databases.owner("sig") as connection:
        connection.execute("DELETE FROM sig_outbox WHERE seq IN (2, 3)")
    with databases.owner("dm") as connection:
        connection.execute("DELETE FROM dm_inbox WHERE lifecycle_id = 'm2'")
    with Links(databases) as links:
        watch = GapWatch(links)
        assert watch.look(Module.SIG) == {2: "healed", 3: "alarmed"}
        assert watch.look(Module.SIG) == {}
    assert carry(databases).repeated == 1
    assert herald_status(databases)["sig"]["gaps"] == {"alarmed": 1, "healed": 1}
    assert rows(databases, "SELECT lifecycle_id FROM sig_outbox ORDER BY seq") == [("m0",), ("m1",), ("m3",)]


def test_a_late_commit_is_no_gap(databases: Databases, keys: Keys) -> None:
    say(databases, keys, 3)
    late, copy = databases.owner("sig"), "INSERT INTO sig_outbox SELECT * FROM kept"
    with databases.owner("sig") as connection:
        connection.execute("CREATE TABLE kept AS SELECT * FROM sig_outbox WHERE seq = 2")
        connection.execute("DELETE FROM sig_outbox WHERE seq = 2")
    with Links(databases) as links, closing(late):
        watch = GapWatch(links)
        late.execute(copy)  # number 2 is written, and not yet committed while 3 is
        for _ in range(3):
            assert watch.look(Module.SIG) == {}
        late.commit()
        assert watch.look(Module.SIG) == {}
        late.execute("DELETE FROM sig_outbox WHERE seq = 2")
        late.execute("DROP TABLE kept")
        late.commit()
    with Links(databases) as links:
        watch, found, deadline = GapWatch(links), {}, time.monotonic() + 20
        while not found and time.monotonic() < deadline:  # a vacuum may be older for a moment
            found = watch.look(Module.SIG)
        assert found == {2: "alarmed"}


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
