"""`lotus up`: everything of one home, until Ctrl-C."""

import click

from lotus_cli.output import Progress, explained
from lotus_cli.places import branch_option, home_option, settings_of, tape_option


@click.command("up")
@click.option("--port", default=3000, show_default=True, help="Port of Dagster's pages on 127.0.0.1.")
@click.option("--live", is_flag=True, help="Also run the live daemon against the venue.")
@tape_option
@branch_option
@home_option
@explained
def up_command(port: int, live: bool, tape: str | None, branch: str | None, home: str | None) -> None:
    """Serve PostgreSQL, Dagster's pages and daemon (schedules, sensors); one Ctrl-C stops all of it."""
    from lotus_assets.up import up

    raise SystemExit(up(settings_of(home, tape, branch), port, live, Progress()))
