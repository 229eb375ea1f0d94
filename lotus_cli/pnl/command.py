"""`lotus pnl`: what the published windows of a branch earned and what it cost, by detector, without flattery."""

from dataclasses import dataclass
from pathlib import Path

import click

from lotus.errors import ConfigError
from lotus_cli.terminal.options import options_as
from lotus_cli.terminal.output import emit
from lotus_cli.terminal.places import DAY, at_tape, branch_option, settings_of_branch
from lotus_cli.terminal.progress import LOADING, Progress
from lotus_cli.terminal.tables import picture_option, wide_option, write_picture


@dataclass(frozen=True, slots=True)
class PnlOptions:
    """What `lotus pnl` shows, and where."""

    day: str | None
    first: str | None
    last: str | None
    target: str | None
    trips: bool
    break_even: bool
    beliefs: bool
    picture: Path | None
    wide: bool
    branch: str | None
    tape: str | None
    home: str | None
    as_json: bool


@click.command("pnl")
@click.option("--day", type=DAY, help="One day of maturity.")
@click.option("--from", "first", type=DAY, help="First day (default: the earliest).")
@click.option("--to", "last", type=DAY, help="Last day (default: the newest).")
@click.option("--page", "target", type=click.Path(dir_okay=False), help="Also write the page into a file, Markdown.")
@click.option("--trips", is_flag=True, help="Also the trades one by one (the newest 40 of each source; --wide: all).")
@click.option("--break-even", is_flag=True, help="Instead: the fee tier and style at which each detector would pay.")
@click.option("--beliefs", is_flag=True, help="Instead: what the same draws paid with beliefs and without, by style.")
@picture_option
@wide_option
@branch_option
@at_tape
@options_as(PnlOptions)
def pnl_command(options: PnlOptions) -> None:
    """Show gross, fees, spread, slippage, funding and net of every detector, with intervals and what was not scored.

    Gross is before every cost: mid to mid at the decisions. A curve shows what gross and net added up to.
    "no edge after fees" stands wherever the interval of net does not lie above zero.
    """
    if options.day is not None and (options.first is not None or options.last is not None):
        raise click.UsageError("--day stands alone; --from and --to belong together")
    if options.break_even and options.beliefs:
        raise click.UsageError("--break-even or --beliefs, not both")
    if (options.break_even or options.beliefs) and (options.target or options.picture or options.trips):
        raise click.UsageError("--page, --picture and --trips belong to the page, not to --break-even or --beliefs")
    if options.first and options.last and options.first > options.last:
        wrong = f"--from {options.first} is after --to {options.last}"
        raise ConfigError(wrong, "the earlier day first", "the two changed places")
    settings = settings_of_branch(options.home, options.tape, options.branch)
    first, last = options.day or options.first, options.day or options.last
    if options.break_even:
        from lotus_cli.pnl import break_even

        found = break_even.break_even_of(settings, first, last)
        emit(break_even.as_json(*found), options.as_json, break_even.text(*found, options.wide))
        return
    if options.beliefs:
        from lotus_cli.pnl import beliefs
        from lotus_store.facts.pnl.beliefs import as_json, beliefs_of

        paid = beliefs_of(settings, first, last)
        emit(as_json(*paid), options.as_json, beliefs.text(*paid, options.wide))
        return
    with Progress(quiet=options.as_json) as progress:
        progress(LOADING, 0)
        from lotus_cli.pnl.page import page
        from lotus_cli.pnl.text import text
        from lotus_store.facts.pnl.curve import curve_of
        from lotus_store.facts.pnl.facts import pnl_of

        facts = pnl_of(settings, first, last, progress)
    if options.target is not None:
        Path(options.target).write_text(page(facts) + "\n", encoding="utf-8")
    if options.picture is not None:
        from lotus.pictures.curves import money

        drawn = [(source.name, curve_of(source.trades)) for source in facts.sources]
        if not drawn:
            raise ConfigError("nothing was executed on these days", "a trade to draw")
        write_picture(options.picture, money([(name, c.time_ms, c.gross, c.net, c.drawdown) for name, c in drawn]))
    emit(facts.as_json(options.trips), options.as_json, text(facts, options.wide, options.trips))
