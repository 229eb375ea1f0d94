"""`lotus doctor` and `lotus warm`: is everything here that is needed, and is everything compiled."""

import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

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


@click.command("warm")
@json_option
@explained
def warm_command(as_json: bool) -> None:
    """Run a few simulated minutes through everything, so that every kernel is compiled and cached."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="lotus-warm-") as folder:
        emit(_warmed(Path(folder)) | {"seconds": round(time.perf_counter() - began, 1)}, as_json)


def _warmed(folder: Path) -> dict[str, Any]:
    import zstandard

    from lotus.detectors.registry import shipped_detectors
    from lotus.learning.night import learn_night
    from lotus.learning.payoff_scores import payoff_scores
    from lotus.outcomes.evaluate import mature
    from lotus.simulation.spec import WorldSpec
    from lotus.simulation.world import World
    from lotus_cli.demo import plan_of
    from lotus_live.batch import score_tape
    from lotus_live.day_lane import LaneSpec
    from lotus_live.parity import neutral_beliefs, verify_parity
    from lotus_live.tape_file import TapeFile

    world = WorldSpec("demo", seed=7, days=2, sessions=(("08:00", "08:25"), ("14:00", "14:03")))
    plan = plan_of(str(folder / "home"), world)
    file = folder / "day.zst"
    file.write_bytes(zstandard.compress(b"".join(text for _, text in World(world).day_pieces(0))))
    report = verify_parity(file, plan.settings.manifest)
    tape = TapeFile((file,))
    spec = LaneSpec(plan.settings.manifest, tape.universe, shipped_detectors(), "warm")
    (day,) = score_tape(tape.arrivals(), spec, neutral_beliefs(spec))
    outcomes = mature(day.events, day.frames.quote_columns(), day.frames.gap_columns(), spec.manifest, day.day)
    night = learn_night({day.day: payoff_scores(day.events, outcomes, day.day).columns}, spec.manifest)
    return {"parity": report.parity, "frames": report.frames, "windows": report.windows, "rules": night.trials}
