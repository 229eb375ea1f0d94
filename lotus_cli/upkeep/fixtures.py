"""`lotus fixtures`: the frozen world beside the code, checked against a fresh one or made again."""

import json
from pathlib import Path
from typing import Any

import click

from lotus.simulation.fixtures import FIXTURE_WORLD, check, statement
from lotus.simulation.world import World
from lotus_cli.terminal.output import emit, explained, json_option
from lotus_cli.terminal.places import WHOLE

FOLDER = Path(__file__).resolve().parents[2] / "fixtures"
STATEMENT = FOLDER / "demo-7.json"
TAPE = FOLDER / "demo-7.zst"


def recorded() -> dict[str, Any]:
    """Return the statement recorded beside the fixtures."""
    statement: dict[str, Any] = json.loads(STATEMENT.read_text())
    return statement


def recorded_hashes(world: World) -> dict[str, list[str]] | None:
    """Return day -> sha256 of each session for the frozen world (a shorter run of it too), None for any other."""
    frozen = FIXTURE_WORLD
    spec = world.spec
    same = (spec.name, spec.seed, spec.assets, spec.sessions, spec.rates, spec.first_day) == (
        frozen.name, frozen.seed, frozen.assets, frozen.sessions, frozen.rates, frozen.first_day
    )  # fmt: skip
    if not same or spec.days > frozen.days or not STATEMENT.is_file():
        return None
    hashes: dict[str, list[str]] = recorded()["raw_sha256"]
    return hashes


@click.group("fixtures")
def fixtures_command() -> None:
    """The frozen fixtures: check them, or make them again after a change of the simulator."""


@fixtures_command.command("check")
@click.option("--day", "days", type=WHOLE, multiple=True, help="Only these day indices (default: all).")
@json_option
@explained
def check_fixtures(days: tuple[int, ...], as_json: bool) -> None:
    """Generate the frozen world again and compare every session with its recorded sha256."""
    emit({"sessions_equal": check(recorded(), days or None)}, as_json)


@fixtures_command.command("make")
@json_option
@explained
def make_fixtures(as_json: bool) -> None:
    """Write the statement and the frozen day; only after a deliberate change of the simulator."""
    import zstandard

    lines = b"".join(text for _, text in World(FIXTURE_WORLD).day_pieces(FIXTURE_WORLD.days - 1))
    TAPE.write_bytes(zstandard.ZstdCompressor(level=19, write_checksum=True).compress(lines))
    STATEMENT.write_text(json.dumps(statement(), indent=1) + "\n")
    emit({"statement": STATEMENT.name, "tape": TAPE.name, "bytes": TAPE.stat().st_size}, as_json)
