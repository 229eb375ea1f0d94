"""`lotus ladder`: who stands on which rung, every gate with what was found, and what the next Monday would decide."""

import json
from typing import Any

import click

from lotus_cli.terminal.output import emit
from lotus_cli.terminal.places import at_tape, branch_option, settings_of_branch
from lotus_cli.terminal.tables import TableColumn, numbers, table, wide_option

_COLUMNS = (
    TableColumn("subject"),
    TableColumn("rung"),
    *numbers("days", "E", "harm E"),
    TableColumn("verdict", least=20),
    TableColumn("gates", least=30),
)


@click.group("ladder")
def ladder_command() -> None:
    """Rungs of evidence: offline, shadow, paper, small live. Nobody is raised by hand."""


@ladder_command.command("show")
@wide_option
@branch_option
@at_tape
def show(wide: bool, branch: str | None, tape: str | None, home: str | None, as_json: bool) -> None:
    """Show the steps of the newest Monday."""
    from lotus.governance.ladder_table import LADDER_STEPS
    from lotus_store.lake import Lake

    settings = settings_of_branch(home, tape, branch)
    lake = Lake(settings.lake_root)
    days = lake.days(LADDER_STEPS.name, settings.branch)
    rows = lake.read(LADDER_STEPS.name, settings.branch, days[-1]) if days else {}
    facts = _facts(days[-1] if days else "", rows)
    emit(facts, as_json, _text(facts, "after Monday", wide))


@ladder_command.command("propose")
@wide_option
@branch_option
@at_tape
def propose(wide: bool, branch: str | None, tape: str | None, home: str | None, as_json: bool) -> None:
    """Show what would be decided now, after the newest learning day; nothing is written."""
    from lotus.governance.ladder_table import step_rows
    from lotus.timebase import next_day
    from lotus_assets.stages.governance.ladder_week import ladder
    from lotus_assets.what_if.answer import home_context
    from lotus_store.ledger.day_commits import committed_days

    with home_context(settings_of_branch(home, tape, branch)) as ctx:
        days = committed_days(ctx.sig, ctx.branch, "payoff_scores")
        day = next_day(days[-1]) if days else ""
        steps, entered = ladder(ctx, day) if day else ([], {})
        facts = _facts(day, step_rows(steps, entered, day))
    emit(facts, as_json, _text(facts, "as of", wide))


def _facts(day: str, rows: Any) -> dict[str, Any]:
    names = list(rows)
    steps = [dict(zip(names, values, strict=True)) for values in zip(*(rows[n].tolist() for n in names), strict=True)]
    for step in steps:
        step["gates"] = [
            {"name": name, "found": found, "needs": needs, "is_open": is_open}
            for name, found, needs, is_open in json.loads(step["gates"])
        ]
    return {"day": day, "steps": steps}


def _text(facts: dict[str, Any], word: str, wide: bool) -> str:
    if not facts["steps"]:
        return "no step yet: the first Monday of a deployment decides"
    rows = [
        (s["subject"], s["to_rung"], f"{s['days']}", f"{s['e_value']:,.1f}", f"{s['harm_e']:,.1f}", s["verdict"],
         "; ".join(f"{g['name']} {g['found']} of {g['needs']}" for g in s["gates"]))
        for s in facts["steps"]
    ]  # fmt: skip
    return f"{word} {facts['day']}\n{table(_COLUMNS, rows, wide)}"
