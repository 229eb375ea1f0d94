"""`lotus network`: which processes serve which module, what they take and say, how they fare, and who is dead."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import click

from lotus.modules.intents import Intent, Module
from lotus_cli.terminal.output import emit, explained, json_option
from lotus_cli.terminal.places import home_option, settings_of
from lotus_store.databases import Databases

INTENTS = frozenset(intent.value for intent in Intent)
ROW = "{:<8}{:<16}{:<15}{:>9}{:>10}{:>10}{:>9}{:>10}  {}"
NAMES = ("module", "replica", "state", "strength", "ms", "reliable", "applied", "silent s", "process")


@click.command("network")
@home_option
@json_option
@explained
def network_command(home: str | None, as_json: bool) -> None:
    """Replicas of every module: what they do, health, measured latency and reliability, partnership strength."""
    from lotus_herald.routes import Routes
    from lotus_store.ledger.messages.replicas import replicas

    silent_s = Routes().heartbeat_s / 2
    found: list[dict[str, Any]] = []
    with Databases(settings_of(home)) as databases:
        for module in Module:
            with databases.connect(module.value) as connection:
                for row in replicas(connection, module.value):
                    state = "ended" if row.ended else "dead" if row.silent_s > silent_s else row.health
                    found.append({"module": module.value, "state": state, **asdict(row)})
    for told in found:
        told["partners"] = {name: strongest(found, name) for name in told["preferred"]}
    lines = [ROW.format(*NAMES), *(line for told in found for line in _lines(told))]
    emit({"replicas": found}, as_json, "\n".join(lines) if found else "no process has registered")


def strongest(found: Sequence[dict[str, Any]], module: str) -> str | None:
    """Return the strongest living replica of a module that is given messages by name; None when there is none."""
    here = [x for x in found if x["module"] == module and x["state"] in ("ok", "faulty")]
    able = [x for x in here if INTENTS.intersection(x["capabilities"])]
    return min(able, key=lambda x: (-x["strength"], x["replica_id"]))["replica_id"] if able else None


def _lines(told: dict[str, Any]) -> Iterator[str]:
    """Yield what a replica is and fares, then what it does, takes, says, and its partners with their best replicas."""
    figures = f"{told['strength']:.3f}", f"{told['latency_ms']:.1f}", f"{told['reliability']:.3f}"
    silent = f"{told['silent_s']:.1f}"
    state = told["state"] if told["health"] in ("ok", told["state"]) else f"{told['state']}, {told['health']}"
    yield ROW.format(told["module"], told["replica_id"], state, *figures, told["applied"], silent, told["process"])
    partners = [f"{name} ({told['partners'][name] or 'nobody alive'})" for name in told["preferred"]]
    for name in ("capabilities", "accepts", "produces", "partners"):
        if words := partners if name == "partners" else told[name]:
            yield f"        {name:<13} {', '.join(words)}"
