"""`lotus import`: recordings and the venue's archive become tapes, whole days at a time or not at all."""

from pathlib import Path

import click

from lotus_cli.output import Progress, emit, explained, json_option
from lotus_cli.places import catalogue, home_option, settings_of, tape_of, tape_option
from lotus_store.databases import Databases


@click.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--archive", "days", multiple=True, metavar="DAY", help="PATHS is an archive root; import this day (more)."
)
@click.option("--coin", "coins", multiple=True, help="With --archive: only these coins.")
@tape_option
@home_option
@json_option
@explained
def import_command(
    paths: tuple[Path, ...],
    days: tuple[str, ...],
    coins: tuple[str, ...],
    tape: str | None,
    home: str | None,
    as_json: bool,
) -> None:
    """Import raw captures (`<receive ns> <frame>` lines; plain, gz, zst, lz4) or the venue's public archive.

    Importing the same source twice changes nothing; a damaged source leaves the tape as it was.
    """
    from lotus_store.tape.import_archive import import_archive
    from lotus_store.tape.import_recording import import_recording

    settings = settings_of(home, tape)
    progress = Progress(quiet=as_json)
    progress(f"importing into tape {settings.tape}")
    store = tape_of(settings)
    report = import_archive(store, paths[0], days, coins) if days else import_recording(store, paths)
    with Databases(settings) as databases:
        catalogue(databases, report.segments)
    result = {
        "tape": settings.tape,
        "lines": report.lines,
        "added": list(report.added),
        "unchanged": list(report.unchanged),
        "universe": [a.name + (" (units inferred)" if a.inferred else "") for a in report.header.universe],
        "segments": [{"path": m.path, "lines": m.lines, "sha256": m.content_sha256} for m in report.segments],
    }
    emit(result, as_json)
