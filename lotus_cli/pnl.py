"""`lotus pnl`: what the published windows of a branch earned and what it cost, by detector, without flattery."""

from pathlib import Path

import click

from lotus_cli.output import emit, explained, json_option
from lotus_cli.places import DAY, branch_option, home_option, require_branch, settings_of, tape_option
from lotus_cli.progress import LOADING, Progress


@click.command("pnl")
@click.option("--day", type=DAY, help="One day of maturity.")
@click.option("--from", "first", type=DAY, help="First day (default: the earliest).")
@click.option("--to", "last", type=DAY, help="Last day (default: the newest).")
@click.option("--page", "target", type=click.Path(dir_okay=False), help="Write the page into a file, Markdown.")
@branch_option
@tape_option
@home_option
@json_option
@explained
def pnl_command(
    day: str | None,
    first: str | None,
    last: str | None,
    target: str | None,
    branch: str | None,
    tape: str | None,
    home: str | None,
    as_json: bool,
) -> None:
    """Show gross, fees, spread, slippage, funding and net of every detector, with intervals and what was not scored.

    "no edge after fees" stands wherever the interval of net does not lie above zero.
    """
    if day is not None and (first is not None or last is not None):
        raise click.UsageError("--day stands alone; --from and --to belong together")
    settings = settings_of(home, tape, branch)
    require_branch(settings)
    with Progress(quiet=as_json) as progress:
        progress(LOADING, 0)
        from lotus_cli.pnl_facts import pnl_of
        from lotus_cli.pnl_page import page

        facts = pnl_of(settings, day or first, day or last, progress)
        text = page(facts)
    if target is not None:
        Path(target).write_text(text + "\n", encoding="utf-8")
    emit(facts.as_json(), as_json, text)
