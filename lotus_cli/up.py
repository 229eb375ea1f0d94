"""`lotus up`: everything of one home, until Ctrl-C."""

import click

from lotus_cli.output import Progress, explained
from lotus_cli.places import DAY, PORT, branch_option, home_option, settings_of, tape_option


@click.command("up")
@click.option("--port", type=PORT, default=3000, show_default=True, help="Port of Dagster's pages on 127.0.0.1.")
@click.option("--live", is_flag=True, help="Also run the live daemon against the venue.")
@click.option("--trade-day", type=DAY, help="Also trade a stored day at a local exchange, then learn from it.")
@click.option("--speed", default=30.0, show_default=True, help="Pace of --trade-day, times that of the recording.")
@tape_option
@branch_option
@home_option
@explained
def up_command(
    port: int,
    live: bool,
    trade_day: str | None,
    speed: float,
    tape: str | None,
    branch: str | None,
    home: str | None,
) -> None:
    """Serve PostgreSQL, Dagster's pages and daemon (schedules, sensors); one Ctrl-C stops all of it."""
    from lotus_assets.up import up

    if live and trade_day:
        raise click.UsageError("--live or --trade-day, not both")
    settings = settings_of(home, tape, branch)
    raise SystemExit(up(settings, port, live, Progress(), trade_day, speed))
