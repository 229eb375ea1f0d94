"""`lotus backfill`: days of tape to lessons and priors, oldest first, through Dagster."""

from dataclasses import dataclass

import click

from lotus.errors import ConfigError
from lotus_cli.terminal.options import options_as
from lotus_cli.terminal.output import emit
from lotus_cli.terminal.places import COUNT, DAY, at_branch, settings_of, tape_option
from lotus_cli.terminal.progress import LOADING, Progress


@dataclass(frozen=True, slots=True)
class BackfillOptions:
    """What `lotus backfill` is asked for."""

    first: str
    last: str
    force: bool
    workers: int
    tape: str | None
    branch: str | None
    home: str | None
    as_json: bool


@click.command("backfill")
@click.option("--from", "first", required=True, type=DAY, metavar="DAY", help="First UTC day (YYYY-MM-DD).")
@click.option("--to", "last", required=True, type=DAY, metavar="DAY", help="Last UTC day.")
@click.option("--force", is_flag=True, help="Compute again what is already committed.")
@click.option(
    "--workers", type=COUNT, default=2, show_default=True, help="Threads that read tape ahead of the learning."
)
@tape_option
@at_branch
@options_as(BackfillOptions)
def backfill_command(options: BackfillOptions) -> None:
    """Materialise every stage of a range of days in order; day d+1 is scored with what day d taught.

    Committed days are kept and skipped: running it again, or after a kill, ends in the same rows and hashes. The
    first day of a branch runs on the genesis priors. A new branch other than main takes the universe of its tape.
    """
    from lotus_cli.terminal.places import begin_branch

    if options.first > options.last:
        raise ConfigError(
            f"--from {options.first} is after --to {options.last}", "the earlier day first", "the two changed places"
        )
    settings = begin_branch(settings_of(options.home, options.tape, options.branch))
    with Progress(quiet=options.as_json) as progress:
        progress(LOADING, 0)
        from lotus_assets.backfill import backfill

        summary = backfill(
            settings, options.first, options.last, progress, force=options.force, workers=options.workers
        )
    stages = ("raw_tape", "microtape_frames", "signal_events", "signal_eval", "payoff_scores", "lessons")
    result = {
        "branch": summary.branch,
        "days": list(summary.days),
        "rows": {stage: summary.rows(stage) for stage in stages},
        "priors_ver": summary.priors_ver,
        "lessons": {day: dict(summary.notes(day, "lessons")) for day in summary.days},
        "hashes": summary.hashes,
        "seconds": {name: round(value, 2) for name, value in summary.seconds.items()},
    }
    text = "\n".join(
        [
            f"branch {summary.branch}: {len(summary.days)} days, "
            + ", ".join(f"{stage} {summary.rows(stage):,}" for stage in stages),
            *(f"  {name:<36} {value}" for name, value in summary.hashes.items()),
            f"priors taught by {summary.days[-1]}: {summary.priors_ver}",
        ]
    )
    emit(result, options.as_json, text)
