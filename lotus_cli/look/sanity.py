"""`lotus sanity`: the stored sanity table of a day, every series against the moves after it."""

from pathlib import Path

import click

from lotus.errors import ConfigError
from lotus_cli.terminal.output import day_ranges, emit, explained, json_option
from lotus_cli.terminal.places import COUNT, DAY, home_option, require_tape, settings_of, tape_option
from lotus_cli.terminal.tables import picture_option, wide_option, write_picture


@click.command("sanity")
@click.option("--day", type=DAY, help="Day of the table (default: the newest).")
@click.option("--asset", help="One asset (default: all of them together).")
@click.option("--horizon", "horizon_s", type=COUNT, help="Only moves of so many seconds.")
@click.option("--verdict", help="Only rows of this verdict, for example wrong.")
@click.option("--all", "every", is_flag=True, help="Every row instead of the first 40.")
@picture_option
@wide_option
@tape_option
@home_option
@json_option
@explained
def sanity_command(
    day: str | None,
    asset: str | None,
    horizon_s: int | None,
    verdict: str | None,
    every: bool,
    picture: Path | None,
    wide: bool,
    tape: str | None,
    home: str | None,
    as_json: bool,
) -> None:
    """Show how frame columns, experts and detectors went with the mid's next 1, 5, 30 and 300 s, losers included.

    What works stands first. With --json every asset and horizon is printed that the options do not exclude.
    """
    from lotus.outcomes.sanity import ALL, SANITY_TABLE
    from lotus_cli.look import sanity_page
    from lotus_store.lake import Lake

    settings = settings_of(home, tape)
    require_tape(settings)
    lake, branch = Lake(settings.lake_root), f"tape.{settings.tape}"
    days = lake.days(SANITY_TABLE.name, branch)
    if not days or (day is not None and day not in days):
        cause = "the day was not read yet: materialise sanity_table, or run lotus backfill"
        raise ConfigError(
            f"tape {settings.tape} has no sanity table of {day or 'any day'}", f"one of {day_ranges(days)}", cause
        )
    day = day or days[-1]
    table = lake.read(SANITY_TABLE.name, branch, day)
    known = sorted(set(table["asset"].tolist()))
    if asset is not None and asset not in known:
        raise ConfigError(f"no asset {asset!r} in the table of {day}", f"one of {', '.join(known)}")
    horizons = sorted(set(table["horizon_s"].tolist()))
    if horizon_s is not None and horizon_s not in horizons:
        raise ConfigError(f"no horizon of {horizon_s} s in the table", f"one of {', '.join(map(str, horizons))}")
    shown = asset or (ALL if ALL in known else known[0])
    chosen = table["horizon_s"] == (table["horizon_s"] if horizon_s is None else horizon_s)
    chosen &= table["asset"] == (table["asset"] if asset is None else asset)
    if verdict is not None and verdict not in sanity_page.VERDICTS:
        raise ConfigError(f"no verdict {verdict!r}", f"one of: {'; '.join(sanity_page.VERDICTS)}")
    chosen &= table["verdict"] == (table["verdict"] if verdict is None else verdict)
    names = list(table)
    rows = [dict(zip(names, row, strict=True)) for row in zip(*(table[n][chosen].tolist() for n in names), strict=True)]
    found = sanity_page.ordered({n: values[chosen & (table["asset"] == shown)] for n, values in table.items()})
    count = len(found["verdict"]) if every or wide else sanity_page.SHOWN
    title = f"{settings.tape}, {day}, {'all assets' if shown == ALL else shown}"
    if picture is not None:
        write_picture(picture, sanity_page.picture(title, found, count))
    emit({"tape": settings.tape, "day": day, "rows": rows}, as_json, sanity_page.page(title, found, count, wide))
