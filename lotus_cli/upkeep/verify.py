"""`lotus verify`: parity of live and batch, the tape of a day, the ledgers' schemas and the atlas."""

from dataclasses import asdict
from pathlib import Path

import click

from lotus_cli.terminal.output import CHECK_FAILED, emit, tell_losses
from lotus_cli.terminal.places import DAY, at_home, at_tape, settings_of, tape_of
from lotus_cli.terminal.progress import LOADING, Progress
from lotus_cli.terminal.tables import fitted, wide_option


@click.group("verify")
def verify_command() -> None:
    """Verify parity, a tape, or the ledgers."""


@verify_command.command("parity")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@at_home
def parity(file: Path, home: str | None, as_json: bool) -> None:
    """Run FILE live (over a real loopback websocket) and in batch; exit 1 unless every hash is equal, 4 when more
    than 1 % of the lines cannot be used.

    FILE is a tape segment (.zst), or plain or gzipped text of `<receive ns> <raw frame>` lines. Both runs use the
    genesis priors and tables without history.
    """
    with Progress(quiet=as_json) as progress:
        progress(LOADING, 0)
        from lotus_live.parity import verify_parity

        report = verify_parity(file, settings_of(home).manifest, progress=progress)
    emit(report.as_json(), as_json)
    lost = tell_losses(report.lines, report.reasons)
    raise SystemExit(lost if report.parity else CHECK_FAILED)


@verify_command.command("tape")
@click.option("--day", type=DAY, metavar="DAY", help="UTC day (default: the last one with tape).")
@wide_option
@at_tape
def tape(day: str | None, wide: bool, tape: str | None, home: str | None, as_json: bool) -> None:
    """Print what of a day of tape is whole and its gaps, with replays, lateness and quarantine; --wide: every minute.

    Exit 4 when more than 1 % of the lines cannot be used.
    """
    from lotus.errors import TapeError
    from lotus_store.tape.verify import verify_tape

    settings = settings_of(home, tape)
    store = tape_of(settings)
    days = store.days()
    if not days:
        raise TapeError(f"tape {store.tape} has no days", "a recorded or imported tape", "another --home or --tape")
    with Progress(quiet=as_json) as progress:
        report = verify_tape(store, day or days[-1], settings.manifest.kernel.gap_ms, progress=progress)
    emit(report.as_dict(), as_json, fitted(report.as_text(wide)))
    raise SystemExit(tell_losses(report.decoded.lines, report.decoded.reasons))


@verify_command.command("ledger")
@at_home
@click.option("--rebuild", is_flag=True, help="Make the atlas again from the modules' databases before comparing.")
def ledger(home: str | None, as_json: bool, rebuild: bool) -> None:
    """Check every live database against its schema, and the atlas against the modules it mirrors.

    A difference is listed and the exit code is 1; a database that is not the expected one is an error (3).
    """
    from lotus_store.databases import Databases
    from lotus_store.ledger import atlas
    from lotus_store.postgres.migrations import check

    with Databases(settings_of(home), migrated=False) as databases:
        versions = check(databases)
        if rebuild:
            atlas.rebuild(databases)
        gaps = atlas.differences(databases)
    emit({"schemas": versions, "equal": gaps.equal} | asdict(gaps), as_json)
    raise SystemExit(0 if gaps.equal else CHECK_FAILED)
