"""`lotus compute`: what micro-experts cost and were worth, and which are computed."""

from typing import Any

import click

from lotus_cli.terminal.output import emit
from lotus_cli.terminal.places import at_branch, settings_of_branch
from lotus_cli.terminal.tables import TableColumn, numbers, table, wide_option
from lotus_store.databases import Databases
from lotus_store.facts.compute import compute_facts, gain_words, state_of

_COLUMNS = (TableColumn("expert"), TableColumn("state"), *numbers("cost, ns", "alone, ns", "bps a day", "low", "high"),
            *numbers("Shapley", "q"))  # fmt: skip
_NUMBERS = (("cost_ns", ".0f"), ("marginal_ns", ".0f"), ("delta_value", "+.2f"), ("low", "+.2f"), ("high", "+.2f"),
            ("shapley", "+.2f"), ("q", ".3f"))  # fmt: skip


@click.group("compute")
def compute_command() -> None:
    """What micro-experts cost a frame, what they were worth, and who is computed within the quota."""


@compute_command.command("show")
@wide_option
@at_branch
def show(wide: bool, branch: str | None, home: str | None, as_json: bool) -> None:
    """Show costs and credit of the newest Monday, and the newest allocation with its value off the policy."""
    settings = settings_of_branch(home, branch=branch)
    with Databases(settings) as databases, databases.connect("sig") as sig:
        facts = compute_facts(sig, settings.branch, settings.compute.live_ns_per_frame)
    emit(facts, as_json, _text(facts, wide))


def _text(facts: dict[str, Any], wide: bool) -> str:
    rows = [
        (
            one["expert_id"],
            state_of(one),
            *("" if one[key] is None else format(one[key], form) for key, form in _NUMBERS),
        )
        for one in facts["experts"]
    ]
    quota = facts["quota_ns"]
    head = f"Quota: {quota:.0f} ns a frame." if quota else "No quota ([compute] live_ns_per_frame = 0): nobody is idle."
    if not rows:
        return f"{head}\nNothing is measured yet: credit comes on Mondays, costs on Mondays under a quota."
    return "\n".join([head, table(_COLUMNS, rows, wide), *filter(None, [gain_words(facts["gain_on_equal"])])])
