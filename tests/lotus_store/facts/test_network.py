"""The strongest living replica of a module that takes messages by name."""

from lotus_store.facts.network import strongest


def test_only_who_lives_and_takes_messages_is_a_partner() -> None:
    def one(name: str, state: str, strength: float, capability: str = "EXEC_REPORT") -> dict[str, object]:
        return {"module": "tr", "replica_id": name, "state": state, "strength": strength, "capabilities": [capability]}

    found = [one("dead", "dead", 0.9), one("carries", "ok", 0.9, "carry"), one("b", "ok", 0.5), one("a", "faulty", 0.5)]
    assert strongest(found, "tr") == "a"
    assert strongest(found, "dm") is None
