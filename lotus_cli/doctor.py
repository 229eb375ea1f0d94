"""`lotus doctor`: is everything here that is needed."""

import shutil
import sys

import click

from lotus_cli.output import CHECK_FAILED, emit, explained, json_option
from lotus_cli.places import home_option, settings_of
from lotus_store.config import Settings


@click.command("doctor")
@click.option(
    "--venue", is_flag=True, help="Also prove keys, accounts and clock of trading.venue; it only reads there."
)
@home_option
@json_option
@explained
def doctor_command(venue: bool, home: str | None, as_json: bool) -> None:
    """Check Python, packages, folders, free disk, databases and their schemas; exit 1 when something is wrong."""
    settings = settings_of(home)
    checks = {"python": _python(), "disk": _disk(settings), "databases": _databases(settings)}
    if venue:
        from lotus_cli.doctor_venue import safety_checks, venue_checks

        checks |= venue_checks(settings) | safety_checks(settings)
    emit({"home": settings.home, **checks}, as_json)
    raise SystemExit(CHECK_FAILED if any(text.startswith("WRONG") for text in checks.values()) else 0)


def _python() -> str:
    word = "ok" if sys.version_info >= (3, 11) else "WRONG: expected 3.11 or later,"
    return f"{word} {sys.version.split()[0]}"


def _disk(settings: Settings) -> str:
    place = next(p for p in (settings.home, *settings.home.parents) if p.exists())
    free = shutil.disk_usage(place).free / 2**30
    word = "ok" if free > settings.limits.min_free_gb else f"WRONG: recording needs {settings.limits.min_free_gb} GB,"
    return f"{word} {free:.1f} GB free"


def _databases(settings: Settings) -> str:
    from lotus.errors import LotusError
    from lotus_store.databases import Databases
    from lotus_store.postgres.migrations import check

    try:
        with Databases(settings) as databases:
            versions = check(databases)
    except LotusError as error:
        return f"WRONG: {error}"
    place = "embedded" if settings.embedded else "given"
    return f"ok, {place} PostgreSQL, schemas " + ", ".join(f"{n} v{v}" for n, v in versions.items())
