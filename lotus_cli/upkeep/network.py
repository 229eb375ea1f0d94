"""`lotus network`: which processes serve which module, what they take and say, how they fare, and who is dead."""

from collections.abc import Iterator
from typing import Any

import click

from lotus_cli.terminal.output import emit
from lotus_cli.terminal.places import at_home, settings_of
from lotus_store.databases import Databases

ROW = "{:<8}{:<16}{:<15}{:>9}{:>10}{:>10}{:>9}{:>10}  {}"
NAMES = ("module", "replica", "state", "strength", "ms", "reliable", "applied", "silent s", "process")


@click.command("network")
@at_home
def network_command(home: str | None, as_json: bool) -> None:
    """Replicas of every module: what they do, health, measured latency and reliability, partnership strength."""
    from lotus_herald.routes import Routes
    from lotus_store.facts.network import replica_facts

    with Databases(settings_of(home)) as databases:
        modules = replica_facts(databases, Routes().heartbeat_s / 2)
    lines = [ROW.format(*NAMES), *(line for one in modules for line in _lines(one))]
    emit({"replicas": modules}, as_json, "\n".join(lines) if modules else "no process has registered")


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
