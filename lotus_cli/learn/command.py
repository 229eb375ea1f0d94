"""`lotus learn`: anybody's signals in CSV or Parquet, judged as Lotus judges its own; no tape, database or Dagster."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from lotus_cli.terminal.options import options_as
from lotus_cli.terminal.output import emit, explained, json_option
from lotus_cli.terminal.progress import LOADING, Progress


@dataclass(frozen=True, slots=True)
class LearnRequest:
    """What `lotus learn` is asked: a folder of files, how to judge them, and where the report goes."""

    events: Path | None
    out: Path | None
    config_file: Path | None
    nightly: bool
    home: str | None
    as_json: bool


@click.command("learn")
@click.option(
    "--events", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder of CSV or Parquet files."
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for report.html and result.json.")
@click.option(
    "--config", "config_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Small YAML file."
)
@click.option("--nightly", is_flag=True, help="Replay every nightly run with the alpha slots of a budget year.")
@click.option(
    "--home", type=click.Path(exists=True, file_okay=False), help="Also register it among the experiments of this home."
)
@click.option("--example", type=click.Path(file_okay=False, path_type=Path), help="Write example files there and stop.")
@click.option("--explain-columns", is_flag=True, help="Print the format of the files and stop.")
@json_option
@explained
@options_as(LearnRequest)
def learn_command(request: LearnRequest, example: Path | None, explain_columns: bool) -> None:
    """Learn from your own signals: every window with its propensity, payoff and context, in CSV or Parquet files.

    One set of files is one analysis at alpha = 0.04 over all its detectors together. Prints lessons with grade,
    interval and bound, what was refused and why, and the number of rules tried.
    """
    from lotus.own_signals.report.format_text import columns_json, columns_text

    if explain_columns:
        emit(columns_json(), request.as_json, columns_text())
    elif example is not None:
        _write_example(example, request.as_json)
    elif request.events is None:
        raise click.UsageError("--events DIR (or --explain-columns, or --example DIR)")
    else:
        with Progress(quiet=request.as_json) as progress:
            progress(LOADING, 0)
            facts, text = _registered(request.events, request, progress)
        emit(facts, request.as_json, text)


def _registered(events: Path, request: LearnRequest, progress: Progress) -> tuple[dict[str, Any], str]:
    """Learn; with a home as one of its experiments, named by the bytes of the files."""
    if request.home is None:
        return _learned(events, request, progress)
    from lotus_cli.terminal.places import settings_of
    from lotus_store.files import folder_hash
    from lotus_store.ledger.experiment_runs import ExperimentAsked, experiment_run

    config = {
        "events": events.name, "nightly": request.nightly,
        "config": request.config_file.read_text("utf-8", "replace") if request.config_file else "",
    }  # fmt: skip
    asked = ExperimentAsked("learn", config, folder_hash(events))
    with experiment_run(settings_of(request.home), asked) as metrics:
        facts, text = _learned(events, request, progress)
        metrics |= {
            "days": facts["days"]["count"], "trials": facts["trials"],
            "lessons": len(facts["lessons"]), "refused": len(facts["refused"]),
        }  # fmt: skip
    return facts, text


def _learned(events: Path, request: LearnRequest, progress: Progress) -> tuple[dict[str, Any], str]:
    """Return what the files teach as facts and as text; write the report where `out` names a folder."""
    from lotus.own_signals.report.words import text_of
    from lotus_lab.learning import learn
    from lotus_lab.report.page import write_report

    report = learn(events, request.config_file, nightly=request.nightly, progress=progress)
    facts = dict(report.facts)
    if request.out is not None:
        if not request.nightly:
            _warn_of_many_looks(request.out, facts["days"]["count"], facts["look"]["alpha"])
        progress("drawing the report", 0)
        facts["report"] = str(write_report(request.out, report.study, facts))
        progress(f"report in {facts['report']}")
    return facts, text_of(facts)


def _warn_of_many_looks(out: Path, days: int, alpha: float) -> None:
    """Warn where the report of a folder tells of fewer days: one more analysis of the same files."""
    try:
        before = int(json.loads((out / "result.json").read_text("utf-8"))["days"]["count"])
    except (OSError, ValueError, KeyError, TypeError):
        return
    if 0 < before < days:
        click.echo(
            f"warning: {out} holds an analysis of {before} days, and these are {days}. Asking a growing folder again "
            f"and again is many analyses, and {100 * alpha:g} % hold for one: --nightly",
            err=True,
        )


def _write_example(folder: Path, as_json: bool) -> None:
    from lotus.own_signals.example import PLANTED_RULE, ExampleSpec
    from lotus_lab.example_events import write_example

    spec = ExampleSpec()
    paths = write_example(folder, spec)
    facts = {
        "files": [str(path) for path in paths],
        "rows": spec.rows,
        "planted": {"detector_id": spec.detectors[0], "rule": PLANTED_RULE, "effect_bps": spec.effect_bps},
    }
    words = (
        f"{len(paths)} files of {spec.rows:,} rows in {folder}. In {spec.detectors[0]}, {PLANTED_RULE} pays "
        f"{spec.effect_bps:g} bps more; nothing else is there to be found."
    )
    emit(facts, as_json, words)
