"""`lotus learn`: anybody's signals in CSV or Parquet, judged as Lotus judges its own; no tape, database or Dagster."""

import json
import tempfile
from pathlib import Path
from typing import Any

import click

from lotus.errors import ConfigError
from lotus_cli.terminal.output import emit, explained, json_option
from lotus_cli.terminal.places import read_utf8
from lotus_cli.terminal.progress import LOADING, Progress


@click.command("learn")
@click.option(
    "--events", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder of CSV or Parquet files."
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for report.html and result.json.")
@click.option(
    "--config", "config_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Small YAML file."
)
@click.option("--nightly", is_flag=True, help="Replay every night with the slots of a budget year.")
@click.option("--example", type=click.Path(file_okay=False, path_type=Path), help="Write example files there and stop.")
@click.option("--explain-columns", is_flag=True, help="Print the format of the files and stop.")
@json_option
@explained
def learn_command(
    events: Path | None,
    out: Path | None,
    config_file: Path | None,
    nightly: bool,
    example: Path | None,
    explain_columns: bool,
    as_json: bool,
) -> None:
    """Learn from your own signals: every window with its propensity, payoff and context, in CSV or Parquet files.

    One set of files is one look at alpha = 0.04 over all its detectors together. Prints lessons with grade, interval
    and bound, what was refused and why, and the number of rules tried.
    """
    from lotus.own_signals.report.format_text import columns_json, columns_text

    if explain_columns:
        emit(columns_json(), as_json, columns_text())
        return
    if example is not None:
        _write_example(example, as_json)
        return
    if events is None:
        raise click.UsageError("--events DIR (or --explain-columns, or --example DIR)")
    with Progress(quiet=as_json) as progress:
        progress(LOADING, 0)
        facts, text = _learned(events, out, config_file, nightly, progress)
    emit(facts, as_json, text)


def _learned(
    events: Path, out: Path | None, config_file: Path | None, nightly: bool, progress: Progress
) -> tuple[dict[str, Any], str]:
    """Return what the files teach as facts and as text; write the report where `out` names a folder."""
    from lotus.own_signals.config import OwnConfig, parse_config
    from lotus.own_signals.report.facts import facts_of
    from lotus.own_signals.report.words import text_of
    from lotus.own_signals.scores import scored
    from lotus.own_signals.study import study
    from lotus.own_signals.table import table_of
    from lotus_cli.learn.columns import names_of_the_files
    from lotus_cli.learn.files import read_folder
    from lotus_cli.learn.page import write_report

    config = parse_config(_text_of(config_file), str(config_file)) if config_file else OwnConfig()
    with tempfile.TemporaryDirectory(prefix="lotus-learn-") as scratch, names_of_the_files(config.columns):
        files, unused = read_folder(events, Path(scratch), config.columns, progress)
        rows = sum(len(f) for f in files)
        progress(f"{len(files)} files, {rows:,} rows" + (f"; not used: {', '.join(unused)}" if unused else ""))
        progress("checking rows and making bins", 0)
        scores = scored(table_of(files), config)
    names = [f.name for f in files]
    progress(f"{len(scores.file_days)} days, {len(scores.vocabulary.features)} features")
    for name, grouping in scores.readings.groups.items():
        progress(f"{name}: taken together by {grouping.by}: {', '.join(grouping.labels)}")
        if grouping.absent:
            progress(f"{name}: no row has {', '.join(grouping.absent)}, which the configuration groups")
    found = study(scores, config, nightly=nightly, progress=progress)
    progress("telling what was found", 0)
    facts = {**facts_of(found, config), "files": names, "columns": dict(config.columns), "unused_columns": unused}
    if out is not None:
        if not nightly and (before := _days_of_the_last_look(out)) and before < len(scores.file_days):
            click.echo(
                f"warning: {out} holds a look at {before} days, and these are {len(scores.file_days)}. Asking a "
                "growing folder again and again is many looks, and "
                f"{100 * found.settings.alpha:g} % hold for one: --nightly",
                err=True,
            )
        progress("drawing the report", 0)
        facts["report"] = str(write_report(out, found, facts))
        progress(f"report in {facts['report']}")
    return facts, text_of(facts)


def _text_of(config_file: Path) -> str:
    from lotus.own_signals.config import check_no_table

    try:
        return read_utf8(config_file)
    except ConfigError:
        check_no_table(config_file.read_text("utf-8", "replace"), str(config_file))
        raise


def _days_of_the_last_look(out: Path) -> int:
    """Return of how many days a report folder's result tells, 0 without one that can be read."""
    try:
        return int(json.loads((out / "result.json").read_text("utf-8"))["days"]["count"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _write_example(folder: Path, as_json: bool) -> None:
    from lotus.own_signals.example import PLANTED_RULE, ExampleSpec
    from lotus_cli.learn.example import write_example

    spec = ExampleSpec()
    paths = write_example(folder, spec)
    told = {
        "files": [str(path) for path in paths],
        "rows": spec.rows,
        "planted": {"detector_id": spec.detectors[0], "rule": PLANTED_RULE, "effect_bps": spec.effect_bps},
    }
    words = (
        f"{len(paths)} files of {spec.rows:,} rows in {folder}. In {spec.detectors[0]}, {PLANTED_RULE} pays "
        f"{spec.effect_bps:g} bps more; nothing else is there to be found."
    )
    emit(told, as_json, words)
