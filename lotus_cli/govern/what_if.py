"""`lotus what-if`: a change asked of stored days, by their log and on their tape. Nothing is changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from lotus_cli.terminal.options import options_as
from lotus_cli.terminal.output import emit
from lotus_cli.terminal.places import DAY, at_tape, branch_option, settings_of_branch
from lotus_cli.terminal.progress import LOADING, Progress
from lotus_cli.terminal.tables import TableColumn, numbers, table


@dataclass(frozen=True, slots=True)
class WhatIfOptions:
    """What is asked, of which days, and where."""

    first: str
    last: str
    priors: str
    without: tuple[str, ...]
    settings: tuple[str, ...]
    spec: Path | None
    simulate: bool
    branch: str | None
    tape: str | None
    home: str | None
    as_json: bool


@click.command("what-if")
@click.option("--from", "first", type=DAY, required=True, help="First day of outcomes.")
@click.option("--to", "last", type=DAY, required=True, help="Last day of outcomes.")
@click.option("--priors", default="", help="Under the version of this name, or none.")
@click.option(
    "--without", multiple=True, metavar="NAME", help="Without a braid, expert or curator; people: all of them."
)
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Under another setting: score.epsilon=0.05")
@click.option(
    "--spec", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="With a detector's specification."
)
@click.option("--simulate", is_flag=True, help="Also score the tape again under the change and fill every probe.")
@branch_option
@at_tape
@options_as(WhatIfOptions)
def what_if_command(options: WhatIfOptions) -> None:
    """Ask what a change would have been worth, in bps over all windows that matured.

    By the log: the same windows drawn with another probability, weighed by what was published, with an interval over
    days; refused where the log cannot carry it. With --simulate also on the tape, filled against its quotes. A question
    gets a number among those on overlapping days: the more are asked, the wider the interval that counts.
    """
    if not (options.priors or options.without or options.settings or options.spec):
        raise click.UsageError("nothing is changed: --priors, --without, --set or --spec")
    settings = settings_of_branch(options.home, options.tape, options.branch)
    with Progress(quiet=options.as_json) as progress:
        progress(LOADING, 0)
        from lotus_assets.what_if.answer import what_if
        from lotus_assets.what_if.question import AskedWords
        from lotus_store.ledger.experiment_runs import ExperimentAsked, experiment_run

        words = AskedWords(
            options.first, options.last, options.priors, options.without, options.settings, options.spec
        )  # fmt: skip
        with experiment_run(settings, ExperimentAsked("what-if", _asked(options))) as metrics:
            facts = what_if(settings, words, options.simulate, progress)
            metrics |= {name: facts[name] for name in ("what_if_id", "number")}
    emit(facts, options.as_json, _text(facts))


def _asked(options: WhatIfOptions) -> dict[str, Any]:
    """Return what is asked in plain values, a specification by its file's name."""
    spec = options.spec.name if options.spec else ""
    return {"from": options.first, "to": options.last, "priors": options.priors, "without": list(options.without),
            "set": list(options.settings), "spec": spec, "simulate": options.simulate}  # fmt: skip


def _text(facts: Mapping[str, Any]) -> str:
    log, tape = facts["log"], facts["tape"]
    head = (
        f"{facts['words']}: {facts['from']} to {facts['to']}, {facts['days']} days, question {facts['number']} on them"
    )
    rows = []
    if log is not None and not log["refused"]:
        rows.append(("by the log", *_interval(log["plain"]), "95 %"))
        rows.append(("by the log", *_interval(log["honest"]), f"{100 * log['level']:.3f} %"))
    if tape is not None:
        rows.append((f"on the tape, grade {tape['grade']}", *_interval(tape["value"]), "95 %"))
        rows.append(("on the tape, the same draws", f"{tape['drawn_bps']:+,.1f}", "", "", ""))
    lines = [head]
    if log is not None and log["refused"]:
        lines.append(f"the log does not answer: {log['refused']}")
    columns = [*numbers("value, bps", "low", "high", "level")]
    lines += [table([TableColumn("what it would have been worth"), *columns], rows)] if rows else []
    if log is not None:
        lines.append(
            f"{log['moved']:,} of {log['windows']:,} windows are drawn otherwise; effective sample {log['ess']:,.0f}, "
            f"99 % of pi'/p below {log['ratio_q99']:.2f}"
        )
        if log["unsupported"]:
            lines.append(
                f"unsupported: {log['unsupported']:,} windows that had no chance ({log['unsupported_mass']:,.1f} "
                f"expected publications), modelled at {log['unsupported_bps']:+,.1f} bps, not counted above"
            )
        if log["unlike"]:
            lines.append(f"{log['unlike']:,} windows cannot be drawn again as they were logged and stay as they are")
        verdict = "is shown" if log["is_shown"] else "is not shown"
        if not log["refused"]:
            lines.append(f"an effect {verdict} at the level of question {facts['number']} on these days")
    if tape is not None:
        lines.append(
            f"published on the tape: {tape['published_before']:,} as it was, {tape['published']:,} under the change"
        )
    if facts["cost_model_disagrees"]:
        lines.append("cost_model_disagrees: the tape's value lies outside the log's interval")
    return "\n".join(lines)


def _interval(found: Mapping[str, Any]) -> tuple[str, str, str]:
    return _bps(found["total"]), _bps(found["low"]), _bps(found["high"])


def _bps(value: float | None) -> str:
    return "" if value is None else f"{float(value):+,.1f}"
