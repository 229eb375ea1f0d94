"""One Herald a source: takeover, and a crash at any seam."""

import pytest

from lotus.modules.intents import Module
from lotus_herald.carry import Carrier, carry
from lotus_herald.keys import Keys
from lotus_herald.links import Links
from lotus_herald.outbox import send_many
from lotus_store.databases import Databases

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
