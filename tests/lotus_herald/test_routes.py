"""Routes of the map: a forbidden one is a dead letter, urgency is the map's."""

from lotus.modules.intents import Intent, Module
from lotus_herald.carry import carry
from lotus_herald.keys import Keys
from lotus_herald.outbox import send
from lotus_store.databases import Databases

from .conftest import alert


def say(databases: Databases, keys: Keys, *names: str, **changes: object) -> None:
    with databases.connect("sig") as connection:
        for name in names:
            send(connection, Module.SIG, alert(name, **changes), keys)  # type: ignore[arg-type]


def inbox(databases: Databases, module: str = "dm") -> list[str]:
    with databases.connect(module) as connection:
        rows = connection.execute(f"SELECT lifecycle_id FROM {module}_inbox ORDER BY arrival").fetchall()
    return [str(r[0]) for r in rows]


def test_a_forbidden_route_is_a_dead_letter(databases: Databases, keys: Keys) -> None:
    say(databases, keys, "a", to=(Module.SIG,), intent=Intent.DM_DECISION)
    assert carry(databases).dead == {"not_allowed": 1}


def test_only_what_the_map_calls_urgent_is_urgent(databases: Databases, keys: Keys) -> None:
    for k, intent in enumerate((Intent.LESSON_PUBLISHED, Intent.PRIOR_PATCH)):
        for priority in range(3):
            say(databases, keys, f"{k} {priority}", intent=intent, priority=priority)
    assert carry(databases).dead == {"not_allowed": 3}
    assert sorted(inbox(databases)) == ["0 0", "1 0", "1 1"]
