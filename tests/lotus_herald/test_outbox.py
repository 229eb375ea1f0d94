"""Many messages at once are numbered like one by one."""

from lotus.modules.intents import Module
from lotus_herald.keys import Keys
from lotus_herald.outbox import send_many
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


def test_many_at_once_are_numbered_like_one_by_one(databases: Databases, keys: Keys) -> None:
    say(databases, keys, 3)
    say(databases, keys, 5)
    with databases.connect("sig") as connection:
        texts = send_many(connection, Module.SIG, [alert("m9"), alert("m1"), alert("m9")], keys)
    assert texts[0] == texts[2]
    found = rows(databases, "SELECT seq, lifecycle_id FROM sig_outbox ORDER BY seq")
    assert found == [(k + 1, f"m{k}") for k in range(5)] + [(6, "m9")]
