"""`lotus doctor`: is everything here that is needed."""

import os
import shutil
import stat
import sys
from contextlib import suppress
from pathlib import Path

import click

from lotus_cli.terminal.output import CHECK_FAILED, emit
from lotus_cli.terminal.places import at_home, settings_of
from lotus_store.config import Settings, home_of
from lotus_store.private import user_name


@click.command("doctor")
@click.option(
    "--venue", is_flag=True, help="Also prove keys, accounts and clock of trading.venue; it only reads there."
)
@at_home
def doctor_command(venue: bool, home: str | None, as_json: bool) -> None:
    """Check Python, packages, folders, free disk, databases and their schemas; exit 1 when something is wrong."""
    place = home_of(home)
    checks = {"python": _python(), "kernels": _kernels(), "folder": _folder(place)}
    if not checks["folder"].startswith("WRONG"):  # else nothing below can be told
        settings = settings_of(home)
        checks |= {"disk": _disk(settings), "databases": _databases(settings)}
        if venue:
            from lotus_cli.upkeep.doctor_venue import safety_checks, venue_checks

            checks |= venue_checks(settings) | safety_checks(settings)
    emit({"home": place, **checks}, as_json)
    raise SystemExit(CHECK_FAILED if any(text.startswith("WRONG") for text in checks.values()) else 0)


def _python() -> str:
    word = "ok" if sys.version_info >= (3, 11) else "WRONG: expected 3.11 or later,"
    return f"{word} {sys.version.split()[0]}"


def _folder(home: Path) -> str:
    """Say whether this user may write into the home, or make it."""
    place = _nearest(home)
    if os.access(place, os.W_OK | os.X_OK, effective_ids=True):
        return f"ok, may be {'written' if place == home else 'made'}"
    status = place.stat()
    who, whose = user_name(os.geteuid()), user_name(status.st_uid)
    cause = f"{place} belongs to {whose}, with the rights {stat.filemode(status.st_mode)}, or its disk is read-only"
    return f"WRONG: {who} may not write into {place}; expected: a folder of {who}; likely cause: {cause}"


def _kernels() -> str:
    """Say where compiled kernels are kept; without such a folder everything works, and is compiled every time."""
    from lotus.jit import kernel_folder

    with suppress(RuntimeError):  # a user without a home
        root = kernel_folder().parent
        if os.access(_nearest(root), os.W_OK | os.X_OK, effective_ids=True):
            return f"ok, kept in {root}"
    return "slow: kept nowhere and compiled by every process; LOTUS_KERNEL_CACHE may name a folder to be written"


def _nearest(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if os.access(place, os.F_OK, effective_ids=True))


def _disk(settings: Settings) -> str:
    free = shutil.disk_usage(_nearest(settings.home)).free / 2**30
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
