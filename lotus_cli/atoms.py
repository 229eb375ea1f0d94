"""`lotus atoms compact`: keep old lesson atoms coarser, and say what that saved. Rules are `atoms_compaction`."""

import click

from lotus_cli.output import emit, explained, json_option
from lotus_cli.places import branch_option, home_option, settings_of


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

    May be run at any time and again: nights read none of this, and a compacted day is made again from its scores when
    its lesson_atoms are materialised.
    """
    from lotus.learning.cube import LESSON_ATOMS
    from lotus_assets.atoms_compaction import TABLES, compact_days
    from lotus_store.databases import Databases
    from lotus_store.lake import Lake
    from lotus_store.ledger.day_commits import committed_days

    settings = settings_of(home, branch=branch)
    lake = Lake(settings.lake_root)
    with Databases(settings) as databases, databases.connect("sig") as sig:
        days = committed_days(sig, settings.branch, LESSON_ATOMS.name)
    before = lake.stored_bytes(TABLES, settings.branch)
    done = compact_days(lake, settings.branch, days, settings.manifest.learning.search_days)
    after = lake.stored_bytes(TABLES, settings.branch)
    found = {"branch": settings.branch, "days": list(done.days), "weeks": list(done.weeks)}
    text = (
        f"{len(done.days)} days went to one block, {len(done.weeks)} weeks took up their days: "
        f"{before / 2**20:.1f} MB became {after / 2**20:.1f} MB"
    )
    emit({**found, "bytes_before": before, "bytes_after": after}, as_json, text)
