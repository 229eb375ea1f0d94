"""`lotus export lessons`: the priors in force as a file for a bot of one's own; what it holds is `lotus_lab.export`."""

import time
from pathlib import Path
from typing import Any

import click

from lotus.errors import BeliefError, ConfigError
from lotus_cli.terminal.output import emit
from lotus_cli.terminal.places import at_branch, settings_of_branch
from lotus_cli.terminal.progress import LOADING, Progress
from lotus_store.facts.words import clock

TARGETS = ("freqtrade", "nautilus", "python", "json")


@click.group("export")
def export_command() -> None:
    """Write what is believed as files that need nothing of Lotus."""


@export_command.command("lessons")
@click.option("--to", "target", type=click.Choice(TARGETS), required=True, help="Whom the module is for.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="File (default: lotus_lessons.py or .json).",
)
@click.option(
    "--valid-days", type=click.IntRange(1, 30), default=2, show_default=True, help="Days its edges may serve."
)
@click.option(
    "--events",
    type=click.Path(exists=True, path_type=Path),
    default=None,
    help="Learn from these files, as `lotus learn` does, and export that; no home is needed.",
)
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="How to judge --events: a small YAML file.",
)
@at_branch
def lessons(
    target: str,
    out: Path | None,
    valid_days: int,
    events: Path | None,
    config: Path | None,
    branch: str | None,
    home: str | None,
    as_json: bool,
) -> None:
    """Write the rules in force, with the newest edges of bins, hashes, their end and a test vector.

    The module needs the standard library only. It checks itself when it is imported, and refuses to advise when the
    time of its rules or edges is over; one that is too old already is written, and that is said.
    """
    from lotus_lab.export.render import rendered
    from lotus_store.files import write_bytes

    path = out or Path("lotus_lessons.json" if target == "json" else "lotus_lessons.py")
    if config and not events:
        raise click.UsageError("--config FILE judges --events")
    data = _learned(events, config, valid_days, as_json) if events else _data(home, branch, valid_days)
    try:
        path.parent.resolve(strict=True)  # a folder that was mistyped is told, not made
        write_bytes(path, rendered(data, target).encode())  # a bot may read it at any time
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", "a file that can be written to") from None
    now_ms = int(time.time() * 1000)
    late = now_ms >= data["until_ms"]
    rules = sum(len(own["braids"]) for own in data["detectors"].values())
    facts = {
        "file": str(path), "of": data["of"], "rules": rules, "from_ms": data["from_ms"], "until_ms": data["until_ms"],
        "hash": data["hash"], "refuses_now": late,
    }  # fmt: skip
    words = (
        f"{rules} rules of {data['of']} in {path}; valid from {clock(data['from_ms'])} until {clock(data['until_ms'])} "
        f"({data['why_until']})"
    )
    emit(facts, as_json, words + (". It is too old by now and refuses to advise." if late else ""))


def _learned(events: Path, config: Path | None, valid_days: int, quiet: bool) -> dict[str, Any]:
    from lotus_lab.learning import learn

    with Progress(quiet=quiet) as progress:
        progress(LOADING, 0)
        return learn(events, config, progress=progress).exported(valid_days)


def _data(home: str | None, branch: str | None, valid_days: int) -> dict[str, Any]:
    from lotus_lab.export.home import home_data
    from lotus_store.databases import Databases
    from lotus_store.day_tables import read_day_tables
    from lotus_store.lake import Lake
    from lotus_store.ledger.beliefs.braids import claims_of
    from lotus_store.ledger.beliefs.priors import in_force_at

    settings = settings_of_branch(home, branch=branch)
    tables = next(read_day_tables(Lake(settings.lake_root), settings.branch), None)
    if tables is None:
        raise BeliefError(f"no scored day on branch {settings.branch}", "one day or more", "lotus backfill was not run")
    with Databases(settings) as databases, databases.connect("sig") as connection:
        version = in_force_at(connection, settings.branch, _NEWEST)
        claims = claims_of(connection, [b.braid_id for b in version.braids])
    return home_data(version, tables, settings.manifest, claims, valid_days)


_NEWEST = 2**53
