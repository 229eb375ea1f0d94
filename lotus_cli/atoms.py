"""`lotus atoms compact`: keep old lesson atoms coarser, and say what that saved. Rules are `atoms_compaction`."""

import click

from lotus_cli.output import emit, explained, json_option
from lotus_cli.places import branch_option, home_option, require_branch, settings_of


@click.group()
def atoms_command() -> None:
    """Sums of scored days: compact old ones."""


@atoms_command.command("compact")
@branch_option
@home_option
@json_option
@explained
def compact(branch: str | None, home: str | None, as_json: bool) -> None:
    """Keep four blocks a day for the search window, one a day up to a year, then one a week.

    Dagster does it every Sunday. May be run at any time and again: nights read none of this; a compacted day is made
    again from its scores when its lesson_atoms are materialised.
    """
    from lotus_assets.atoms_compaction import compact_branch
    from lotus_assets.bodies import stage_context
    from lotus_resources.lotus_resource import Lotus

    settings = settings_of(home, branch=branch)
    require_branch(settings)
    lotus = Lotus.open(settings)
    try:
        with stage_context(lotus) as ctx:
            saved = compact_branch(ctx)
            found = {"branch": ctx.branch, "days": list(saved.done.days), "weeks": list(saved.done.weeks)}
    finally:
        lotus.close()
    emit({**found, "bytes_before": saved.bytes_before, "bytes_after": saved.bytes_after}, as_json, str(saved))
