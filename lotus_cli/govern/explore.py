"""`lotus explore`: how far each detector explores and what that costs; a person holds a detector at the least."""

from dataclasses import asdict
from typing import Any

import click

from lotus.curation.act import CurationKind
from lotus.detectors.curators import LEAST_EPSILON
from lotus_cli.look.curate import CurateOptions, act_options
from lotus_cli.terminal.output import emit
from lotus_cli.terminal.places import at_branch, settings_of_branch
from lotus_cli.terminal.tables import TableColumn, numbers, table
from lotus_herald.keys import Keys
from lotus_modules.sig.board import AskedAct, submit
from lotus_store.databases import Databases
from lotus_store.facts.exploration import exploration_facts
from lotus_store.lake import Lake

_COLUMNS = (TableColumn("detector"), *numbers("floor", "power", "worth, bps", "cost, bps", "windows a day"))
OFF = "[governance] explorer = true switches it on, on branch main"


@click.group("explore")
def explore_command() -> None:
    """Floors of the propensity, by value of information within a budget. Off unless [governance] explorer says so."""


@explore_command.command("show")
@at_branch
def show(branch: str | None, home: str | None, as_json: bool) -> None:
    """Show the newest plan by detector, the budget, and what 20 nights of exploring have cost."""
    settings = settings_of_branch(home, branch=branch)
    facts = exploration_facts(Lake(settings.lake_root), settings.branch)
    facts["is_on"] = settings.governance.explorer and settings.branch == "main"
    emit(facts, as_json, _text(facts))


@explore_command.command("hold")
@click.argument("subject", metavar="DETECTOR")
@act_options
def hold(options: CurateOptions) -> None:
    """Hold the floor of DETECTOR at the least, 0.02, whatever the explorer decides."""
    settings = settings_of_branch(options.home, branch=options.branch)
    asked = AskedAct(
        CurationKind.EPSILON, options.author, options.reason, options.subject, LEAST_EPSILON, options.days
    )  # fmt: skip
    with Databases(settings) as databases:
        act = submit(databases, settings.branch, asked, settings.manifest, Keys(settings.keys_root))
    emit(asdict(act), options.as_json)


def _text(facts: dict[str, Any]) -> str:
    if not facts["nights"]:
        return f"nothing explores beyond the settings: {'the next night decides' if facts['is_on'] else OFF}"
    rows = [
        (d["detector_id"], f"{d['epsilon']:.3f}", f"{d['power']:.3f}", f"{d['voi_bps']:,.1f}", f"{d['cost_bps']:,.1f}",
         f"{d['windows']:,.0f}")
        for d in facts["detectors"]
    ]  # fmt: skip
    paid = f"{facts['realised_bps']:+,.1f} bps"
    if facts["realised_low"] is not None:
        paid += f" ({facts['realised_low']:+,.1f} to {facts['realised_high']:+,.1f})"
    lines = [
        f"after {facts['day']}: a budget of {facts['budget_bps']:,.1f} bps over 20 days, "
        f"{facts['experiment_share']:.2%} of the windows for experiments on proposals",
        table(_COLUMNS, rows),
        f"{facts['nights']} nights: gross {facts['gross_bps']:+,.1f} bps, exploring beyond 0.02 cost {paid}",
    ]
    return "\n".join(lines)
