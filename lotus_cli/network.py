"""`lotus network`: which processes serve which module, how they fare, and who is dead."""

from dataclasses import asdict
from typing import Any

import click

from lotus_cli.output import emit, explained, json_option
from lotus_cli.places import home_option, settings_of
from lotus_store.databases import Databases


@click.command("network")
@home_option
@json_option
@explained
def network_command(home: str | None, as_json: bool) -> None:
    """Replicas of every module: health, measured latency and reliability, partnership strength."""
    from lotus.modules.intents import Module
    from lotus_herald.routes import load_routes
    from lotus_store.ledger.replicas import replicas

    silent_s = load_routes().heartbeat_s / 2
    found: list[dict[str, Any]] = []
    with Databases(settings_of(home)) as databases:
        for module in Module:
            with databases.connect(module.value) as connection:
                for row in replicas(connection, module.value):
                    state = "ended" if row.ended else "dead" if row.silent_s > silent_s else row.health
                    found.append({"module": module.value, "state": state, **asdict(row)})
    names = ("replica", "state", "strength", "ms", "reliable", "applied")
    lines = ["{:<8}{:<24}{:<9}{:>9}{:>10}{:>10}{:>9}  capabilities".format("module", *names)]
    lines += [
        f"{x['module']:<8}{x['replica_id']:<24}{x['state']:<9}{x['strength']:>9.3f}{x['latency_ms']:>10.1f}"
        f"{x['reliability']:>10.3f}{x['applied']:>9}  {', '.join(x['capabilities'])}"
        for x in found
    ]
    emit({"replicas": found}, as_json, "\n".join(lines) if found else "no process has registered")
