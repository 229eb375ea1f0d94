"""`lotus sanity`: the stored sanity table of a day, every series against the moves after it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from lotus.errors import ConfigError
from lotus_cli.terminal.options import options_as
from lotus_cli.terminal.output import emit
from lotus_cli.terminal.places import COUNT, DAY, at_tape, require_tape, settings_of
from lotus_cli.terminal.tables import picture_option, wide_option, write_picture
from lotus_store.facts.words import day_ranges


@dataclass(frozen=True, slots=True)
class SanityOptions:
    """Which rows `lotus sanity` shows."""

    day: str | None
    asset: str | None
    horizon_s: int | None
    verdict: str | None
    every: bool
    picture: Path | None
    wide: bool
    tape: str | None
    home: str | None
    as_json: bool


@click.command("sanity")
@click.option("--day", type=DAY, help="Day of the table (default: the newest).")
@click.option("--asset", help="One asset (default: all of them together).")
@click.option("--horizon", "horizon_s", type=COUNT, help="Only moves of so many seconds.")
@click.option("--verdict", help="Only rows of this verdict, for example wrong.")
@click.option("--all", "every", is_flag=True, help="Every row instead of the first 40.")
@picture_option
@wide_option
@at_tape
@options_as(SanityOptions)
def sanity_command(options: SanityOptions) -> None:
    """Show how frame columns, experts and detectors went with the mid's next 1, 5, 30 and 300 s, losers included.

    What works stands first. With --json every asset and horizon is printed that the options do not exclude.
    """
    import numpy as np

    from lotus.outcomes.sanity import ALL, SANITY_TABLE
    from lotus_cli.look import sanity_page
    from lotus_store.lake import Lake

    settings = settings_of(options.home, options.tape)
    require_tape(settings)
    lake, branch = Lake(settings.lake_root), f"tape.{settings.tape}"
    days = lake.days(SANITY_TABLE.name, branch)
    if not days or (options.day is not None and options.day not in days):
        cause = "the day was not read yet: materialise sanity_table, or run lotus backfill"
        found = f"tape {settings.tape} has no sanity table of {options.day or 'any day'}"
        raise ConfigError(found, f"one of {day_ranges(days)}", cause)
    day = options.day or days[-1]
    stored = lake.read(SANITY_TABLE.name, branch, day)
    assets = sorted(set(stored["asset"].tolist()))
    _refuse_unknown(options, day, assets, sorted(set(stored["horizon_s"].tolist())))
    chosen = np.ones(len(stored["asset"]), dtype=np.bool_)
    for column, value in (("horizon_s", options.horizon_s), ("asset", options.asset), ("verdict", options.verdict)):
        chosen &= (stored[column] == value) if value is not None else True
    rows = [
        dict(zip(stored, row, strict=True))
        for row in zip(*(values[chosen].tolist() for values in stored.values()), strict=True)
    ]
    shown = options.asset or (ALL if ALL in assets else assets[0])
    ordered = sanity_page.ordered({n: values[chosen & (stored["asset"] == shown)] for n, values in stored.items()})
    count = len(ordered["verdict"]) if options.every or options.wide else sanity_page.SHOWN
    title = f"{settings.tape}, {day}, {'all assets' if shown == ALL else shown}"
    if options.picture is not None:
        write_picture(options.picture, sanity_page.picture(title, ordered, count))
    text = sanity_page.page(title, ordered, count, options.wide)
    emit({"tape": settings.tape, "day": day, "rows": rows}, options.as_json, text)


def _refuse_unknown(options: SanityOptions, day: str, assets: Sequence[str], horizons: Sequence[int]) -> None:
    """Refuse what the table of the day does not hold; raises `ConfigError`."""
    from lotus_cli.look.sanity_page import VERDICTS

    if options.asset is not None and options.asset not in assets:
        raise ConfigError(f"no asset {options.asset!r} in the table of {day}", f"one of {', '.join(assets)}")
    if options.horizon_s is not None and options.horizon_s not in horizons:
        found = f"no horizon of {options.horizon_s} s in the table"
        raise ConfigError(found, f"one of {', '.join(map(str, horizons))}")
    if options.verdict is not None and options.verdict not in VERDICTS:
        raise ConfigError(f"no verdict {options.verdict!r}", f"one of: {'; '.join(VERDICTS)}")
