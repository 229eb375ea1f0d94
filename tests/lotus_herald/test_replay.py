"""`lotus_store/ledger/messages/boxes.py`: a dead letter that several ask to replay at once is applied once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from lotus_store.databases import Databases
from lotus_store.ledger.messages import boxes

ASKING, ROUNDS = 6, 12
BOX = {"outbox": "dispatched_at = now(), outcome = 'delivered'", "inbox": "consumed_at = now(), outcome = 'applied'"}
SOW = {
    "outbox": "INSERT INTO dm_outbox (seq, event_id, dedupe_key, lifecycle_id, branch, intent, priority, envelope, "
    "outcome, dispatched_at) SELECT count(*) + 1, %(name)s, %(name)s, 'l', 'main', 'META_SIGNAL', 0, '{}', 'dead', "
    "now() FROM dm_outbox",
    "inbox": "INSERT INTO dm_inbox (event_id, sender, dedupe_key, lifecycle_id, branch, intent, priority, envelope, "
    "outcome, consumed_at) VALUES (%(name)s, 'sig', %(name)s, 'l', 'main', 'META_SIGNAL', 0, '{}', 'dead', now())",
}


def sow(databases: Databases, place: str, name: str) -> None:
    with databases.connect("dm") as connection:
        connection.execute(SOW[place], {"name": name})
        connection.execute("INSERT INTO dm_dead_letter VALUES (%s, %s, 'handler_failed', '', '{}')", [name, place])


@pytest.mark.parametrize("place", BOX)
def test_of_many_at_once_one_is_told_that_it_waits_again(databases: Databases, place: str) -> None:
    at_once = threading.Barrier(ASKING)

    def asked(_: int) -> list[bool]:
        found = []
        for k in range(ROUNDS):
            with databases.connect("dm") as connection:
                connection.execute("SELECT 1")
                at_once.wait(10.0)
                found.append(boxes.replay(connection, "dm", f"letter {k}", place))
        return found

    for k in range(ROUNDS):
        sow(databases, place, f"letter {k}")
    with ThreadPoolExecutor(ASKING) as pool:
        told = list(pool.map(asked, range(ASKING)))
    assert [sum(of_letter) for of_letter in zip(*told, strict=True)] == [1] * ROUNDS


@pytest.mark.parametrize("place", BOX)
def test_what_was_applied_since_is_not_begun_again(databases: Databases, place: str) -> None:
    sow(databases, place, "one")
    done, state = f"UPDATE dm_{place} SET {BOX[place]}", f"SELECT outcome IS NULL FROM dm_{place}"
    with databases.connect("dm") as connection:
        assert boxes.replay(connection, "dm", "one", place)
        assert connection.execute(state).fetchone() == (True,)
        connection.execute(done)
        assert not boxes.replay(connection, "dm", "one", place)
        assert connection.execute(state).fetchone() == (False,)
        assert boxes.dead_letters(connection, "dm") == []
