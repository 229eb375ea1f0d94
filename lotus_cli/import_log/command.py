"""`lotus import-log`: what a bot traded, as events for `lotus learn`; how each log is read is `lotus_lab.logs`."""

from pathlib import Path

import click

from lotus.errors import ConfigError
from lotus_cli.terminal.output import emit, explained, json_option


@click.command("import-log")
@click.argument("kind", type=click.Choice(["freqtrade", "nautilus", "csv", "randomiser"]))
@click.argument("log", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), default=Path("events.parquet"), show_default=True,
    help="Parquet file of events.",
)  # fmt: skip
@json_option
@explained
def import_log_command(kind: str, log: Path, out: Path, as_json: bool) -> None:
    """Turn a bot's log into events for `lotus learn`.

    LOG is Freqtrade's database or backtest-result-*.zip, a catalogue or a positions report of NautilusTrader, a CSV
    file of round trips, or the journal of a `lab.Randomiser`. The CSV has opened, closed, asset, strategy, side, entry
    and exit (fee_bps and any x_ columns if there are). A log without propensities teaches associations, grade D at
    most; that is said every time.
    """
    import pyarrow.parquet as pq

    from lotus_lab.logs.bots import import_log

    made = import_log(kind, log)
    part = out.with_name(f".{out.name}.part")
    try:
        pq.write_table(made.events, part)
        part.replace(out)
    except OSError as error:
        raise ConfigError(f"{out}: {error.strerror}", "a file that can be written to") from None
    facts = {"file": str(out), "rows": len(made.events), "open_trades": made.open_trades, "notes": list(made.notes)}
    emit(facts, as_json, "\n".join([f"{len(made.events):,} events in {out}", *made.notes]))
