"""Gaps of sequence numbers: a lost row is healed, an unknown one alarmed, a late commit is none."""

import time
from contextlib import closing

from lotus.modules.intents import Module
from lotus_herald.carry import carry
from lotus_herald.gaps import GapWatch
from lotus_herald.keys import Keys
from lotus_herald.links import Links
from lotus_herald.outbox import send_many
from lotus_herald.report import herald_status
from lotus_store.databases import Databases

from .conftest import alert


def say(databases: Databases, keys: Keys, n: int, start: int = 0, **changes: object) -> None:
    with databases.connect("sig") as connection:
        said = [alert(f"m{k}", **changes) for k in range(start, start + n)]  # type: ignore[arg-type]
        send_many(connection, Module.SIG, said, keys)


def rows(databases: Databases, text: str) -> list[tuple[object, ...]]:
    name = "dm" if "dm_" in text else "sig"
    with databases.connect(name) as connection:
        return connection.execute(text).fetchall()  # type: ignore[call-overload, no-any-return]


def settled(watch: GapWatch) -> dict[int, str]:
    """Look until the server's own transactions, such as a vacuum's, keep no gap open; {} after ten seconds."""
    deadline = time.monotonic() + 10.0
    while not (found := watch.look(Module.SIG)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def test_a_lost_row_is_healed_from_an_inbox_and_an_unknown_one_alarmed(databases: Databases, keys: Keys) -> None:
    say(databases, keys, 4)
    carry(databases)
    with databases.owner("sig") as connection:
        connection.execute("DELETE FROM sig_outbox WHERE seq IN (2, 3)")
    with databases.owner("dm") as connection:
        connection.execute("DELETE FROM dm_inbox WHERE lifecycle_id = 'm2'")
    with Links(databases) as links:
        watch = GapWatch(links)
        assert settled(watch) == {2: "healed", 3: "alarmed"}
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
