"""`lotus network`: which processes serve which module, what they take and say, how they fare, and who is dead."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import click

from lotus.modules.intents import Intent, Module
from lotus_cli.terminal.output import emit
from lotus_cli.terminal.places import at_home, settings_of
from lotus_store.databases import Databases

INTENTS = frozenset(intent.value for intent in Intent)
ROW = "{:<8}{:<16}{:<15}{:>9}{:>10}{:>10}{:>9}{:>10}  {}"
NAMES = ("module", "replica", "state", "strength", "ms", "reliable", "applied", "silent s", "process")


@click.command("network")
@at_home
def network_command(home: str | None, as_json: bool) -> None:
    """Replicas of every module: what they do, health, measured latency and reliability, partnership strength."""
    from lotus_herald.routes import Routes
    from lotus_store.ledger.messages.replicas import replicas

    silent_s = Routes().heartbeat_s / 2
    modules: list[dict[str, Any]] = []
    with Databases(settings_of(home)) as databases:
        for module in Module:
            with databases.connect(module.value) as connection:
                for row in replicas(connection, module.value):
                    state = "ended" if row.ended else "dead" if row.silent_s > silent_s else row.health
                    modules.append({"module": module.value, "state": state, **asdict(row)})
    for one in modules:
        one["partners"] = {name: strongest(modules, name) for name in one["preferred"]}
    lines = [ROW.format(*NAMES), *(line for one in modules for line in _lines(one))]
    emit({"replicas": modules}, as_json, "\n".join(lines) if modules else "no process has registered")


def strongest(modules: Sequence[dict[str, Any]], module: str) -> str | None:
    """Return the strongest living replica of a module that is given messages by name; None when there is none."""
    here = [x for x in modules if x["module"] == module and x["state"] in ("ok", "faulty")]
    able = [x for x in here if INTENTS.intersection(x["capabilities"])]
    return min(able, key=lambda x: (-x["strength"], x["replica_id"]))["replica_id"] if able else None


def _lines(module: dict[str, Any]) -> Iterator[str]:
    """Yield what a replica is and fares, then what it does, takes, says, and its partners with their best replicas."""
    figures = f"{module['strength']:.3f}", f"{module['latency_ms']:.1f}", f"{module['reliability']:.3f}"
    silent = f"{module['silent_s']:.1f}"
    state = module["state"] if module["health"] in ("ok", module["state"]) else f"{module['state']}, {module['health']}"
    yield ROW.format(
        module["module"], module["replica_id"], state, *figures, module["applied"], silent, module["process"]
    )
    partners = [f"{name} ({module['partners'][name] or 'nobody alive'})" for name in module["preferred"]]
    for name in ("capabilities", "accepts", "produces", "partners"):
        if words := partners if name == "partners" else module[name]:
            yield f"        {name:<13} {', '.join(words)}"
