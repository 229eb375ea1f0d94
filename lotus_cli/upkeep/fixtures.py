"""`lotus fixtures`: the frozen world beside the code, and what the nights of a home were made of, made again."""

import json
from pathlib import Path
from typing import Any

import click

from lotus.simulation.fixtures import FIXTURE_WORLD, check, statement
from lotus.simulation.world import World
from lotus_cli.terminal.output import emit, explained, json_option
from lotus_cli.terminal.places import WHOLE, at_branch, settings_of

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
    """What results rest on: the frozen world beside the code, and the bundle of each night of a home.

    check and make are for the frozen world; list and verify for the nights: verify makes every table again from raw
    tape and names the first difference.
    """


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


@fixtures_command.command("list")
@at_branch
def list_fixtures(branch: str | None, home: str | None, as_json: bool) -> None:
    """Show the hash of each learning day of a branch, which stands for all that it and the days before were made of."""
    from lotus_store.databases import Databases
    from lotus_store.ledger.fixture_bundles import bundle_chain, newest_bundle

    settings = settings_of(home, branch=branch)
    with Databases(settings) as databases, databases.connect("sig") as sig:
        chain = bundle_chain(sig, newest_bundle(sig, settings.branch))
    rows = [
        {"day": one.bundle.day, "fixtures_hash": one.bundle.fixtures_hash, "tables": len(one.bundle.tables),
         "raw_segments": len(one.bundle.raw), "git_sha": one.git_sha}
        for one in chain
    ]  # fmt: skip
    text = "\n".join(f"{x['day']}  {x['fixtures_hash']}  {x['tables']} tables" for x in rows)
    emit({"branch": settings.branch, "bundles": rows}, as_json, text or f"branch {settings.branch} has no bundle")


@fixtures_command.command("verify")
@click.argument("name", metavar="HASH")
@at_branch
def verify_fixtures_command(name: str, branch: str | None, home: str | None, as_json: bool) -> None:
    """Make every table of a bundle again from raw tape, in a home of its own, and name the first difference.

    HASH is the hash of a learning day, or its beginning. All days before it are made again too.
    """
    from dataclasses import asdict

    from lotus_assets.reproduced.fixtures import verify_fixtures
    from lotus_store.ledger.experiment_runs import ExperimentAsked, experiment_run

    settings = settings_of(home, branch=branch)
    with experiment_run(settings, ExperimentAsked("fixtures", {"verify": name}, name)) as metrics:
        found = verify_fixtures(settings, name, lambda line: None if as_json else click.echo(line, err=True))
        metrics |= {"is_equal": found.is_equal, "tables": found.tables, "difference": found.difference}
    if found.is_equal:
        text = f"{found.tables} tables of {found.days} days made again from raw tape: all equal"
    elif found.pruned:
        text = f"cannot be made again, {len(found.pruned)} raw segments are not there: " + "; ".join(found.pruned[:5])
    else:
        text = f"{found.tables} tables equal, then {found.difference}"
    text += "".join(f"\n  other now: {one}" for one in found.others)
    emit({**asdict(found), "is_equal": found.is_equal}, as_json, text)
    if not found.is_equal:
        raise SystemExit(1)
