"""Replicas of every module as they stand in the databases: what they do, how they fare, whom they would speak with."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from lotus.modules.intents import Intent, Module
from lotus_store.databases import Databases
from lotus_store.ledger.messages.replicas import replicas

INTENTS: Final = frozenset(intent.value for intent in Intent)


def replica_facts(databases: Databases, silent_s: float) -> list[dict[str, Any]]:
    """Return every replica by module; one that is silent for longer than `silent_s` is dead.

    `state` is ended, dead, or the health it reported; `partners` are the best living replica of each preferred module.
    """
    found: list[dict[str, Any]] = []
    for module in Module:
        with databases.connect(module.value) as connection:
            for row in replicas(connection, module.value):
                state = "ended" if row.ended else "dead" if row.silent_s > silent_s else row.health
                found.append({"module": module.value, "state": state, **asdict(row)})
    for one in found:
        one["partners"] = {name: strongest(found, name) for name in one["preferred"]}
    return found


def strongest(modules: Sequence[dict[str, Any]], module: str) -> str | None:
    """Return the strongest living replica of a module that is given messages by name; None when there is none."""
    here = [x for x in modules if x["module"] == module and x["state"] in ("ok", "faulty")]
    able = [x for x in here if INTENTS.intersection(x["capabilities"])]
    return min(able, key=lambda x: (-x["strength"], x["replica_id"]))["replica_id"] if able else None
