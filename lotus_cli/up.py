"""`lotus up`: everything of one home, until Ctrl-C."""

from dataclasses import replace

import click
from click.core import ParameterSource

from lotus.errors import TapeError
from lotus_cli.desk.live import SPEED
from lotus_cli.terminal.output import explained
from lotus_cli.terminal.places import DAY, PORT, branch_option, home_option, settings_of, tape_of, tape_option
from lotus_cli.terminal.progress import LOADING, Progress
from lotus_store.tape.store import TapeStore


@click.command("up")
@click.option(
    "--port", type=PORT, default=3000, show_default=True, help="Port of Dagster's pages on 127.0.0.1 (0: any free one)."
)
@click.option("--console-port", type=PORT, help="Port of the console on 127.0.0.1 (0: any free one) [default: 8000].")
@click.option("--live", is_flag=True, help="Also run the live daemon against the venue.")
@click.option("--trade-day", type=DAY, help="Also trade a stored day at a local exchange, then learn from it.")
@click.option(
    "--speed",
    type=SPEED,
    default="max",
    show_default=True,
    help="Pace of --trade-day, times that of the recording; max: the tape waits for the desk.",
)
@click.option(
    "--venues",
    type=click.IntRange(1, 2),
    help="Local exchanges that play --trade-day, the second of other fees and latency (default: trading.exchanges).",
)
@tape_option
@branch_option
@home_option
@explained
def up_command(
    port: int,
    console_port: int | None,
    live: bool,
    trade_day: str | None,
    speed: float,
    venues: int | None,
    tape: str | None,
    branch: str | None,
    home: str | None,
) -> None:
    """Serve PostgreSQL, the console, Dagster's pages and daemon (schedules, sensors); one Ctrl-C stops all of it."""
    if live and trade_day:
        raise click.UsageError("--live or --trade-day, not both")
    given = click.get_current_context().get_parameter_source("speed") is not ParameterSource.DEFAULT
    if not trade_day and (venues is not None or given):
        raise click.UsageError("--venues and --speed belong to --trade-day")
    settings = settings_of(home, tape, branch)
    if venues is not None:
        settings = replace(settings, trading=replace(settings.trading, exchanges=venues))
    if trade_day:
        from lotus.detectors.registry import scored_detectors
        from lotus_desk.pace import pace_to_trade

        pace_to_trade(speed, (detector.horizon_s for detector in scored_detectors(settings.manifest)))
        _refuse_unless_stored(tape_of(settings), trade_day)
    with Progress() as progress:
        progress(LOADING, 0)
        from lotus_assets.up import up

        code = up(settings, port, console_port, live, progress, trade_day, speed)
    raise SystemExit(code)


def _refuse_unless_stored(tape: TapeStore, day: str) -> None:
    """Refuse a day that cannot be traded before anything is started for it."""
    tape.header()
    days = tape.days()
    if day not in days:
        expected = f"one of {days[0]} to {days[-1]}" if days else "a recorded or imported day"
        raise TapeError(f"tape {tape.tape} has no day {day}", expected, "another --tape or --trade-day")
