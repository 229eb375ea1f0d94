"""`lotus import` and `lotus tape`: recordings become tapes, whole days or not at all; what is there, what may go."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from lotus.errors import ConfigError, TapeError
from lotus.names import name_of_step
from lotus_cli.terminal.output import emit, tell_losses
from lotus_cli.terminal.places import DAY, at_home, at_tape, catalogue, settings_of, tape_of
from lotus_cli.terminal.progress import Progress
from lotus_store.databases import Databases
from lotus_store.tape.shards.plan import MOST_SHARDS
from lotus_store.tape.store import TapeStore


@click.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--archive",
    "days",
    multiple=True,
    type=DAY,
    metavar="DAY",
    help="PATHS is an archive root; import these days.",
)
@click.option("--coin", "coins", multiple=True, help="With --archive: only these coins.")
@at_tape
def import_command(
    paths: tuple[Path, ...],
    days: tuple[str, ...],
    coins: tuple[str, ...],
    tape: str | None,
    home: str | None,
    as_json: bool,
) -> None:
    """Import raw captures (`<receive ns> <frame>` lines; plain, gz, zst, lz4) or the venue's public archive.

    Importing the same source twice changes nothing; a damaged source leaves the tape as it was. Lines that cannot be
    used are counted by reason; exit 4 when they are more than 1 %.
    """
    from lotus_store.tape.import_archive import import_archive
    from lotus_store.tape.import_recording import import_recording

    settings = settings_of(home, tape)
    store = tape_of(settings)
    with Progress(quiet=as_json) as progress:
        progress(f"importing into tape {settings.tape}")
        if days:
            report = import_archive(store, paths[0], days, coins, progress=progress)
        else:
            report = import_recording(store, paths, progress=progress)
        progress("writing the catalogue", 0)
        with Databases(settings) as databases:
            catalogue(databases, report.segments)
    result = {
        "tape": settings.tape,
        "lines": report.lines,
        "put_aside": report.put_aside,
        "added": list(report.added),
        "unchanged": list(report.unchanged),
        "universe": [a.name + (" (units inferred)" if a.inferred else "") for a in report.header.universe],
        "segments": [{"path": m.path, "lines": m.lines, "sha256": m.content_sha256} for m in report.segments],
    }
    emit(result, as_json)
    raise SystemExit(tell_losses(report.lines, report.put_aside))


@click.group("tape")
def tape_command() -> None:
    """Look after tapes: what is there, and what may go."""


@tape_command.command("list")
@at_home
def list_tapes(home: str | None, as_json: bool) -> None:
    """List every tape with its coins, days, lines and stored size."""
    settings = settings_of(home)
    tapes: list[dict[str, Any]] = []
    for header in sorted(settings.tape_root.glob("*/header.json")):
        store = TapeStore(settings.home, name_of_step(header.parent.name))
        shards = store.shards()
        held = list(store.all_segments())
        whole = {meta.day for meta in held}
        segments = [*held, *(meta for shard in shards for meta in shard.all_segments() if meta.day not in whole)]
        tapes.append(
            {
                "tape": store.tape,
                "source": store.header().source,
                "coins": [a.name for a in store.header().assets],
                "days": store.days(),
                "shards": len(shards),
                "lines": sum(s.lines for s in segments),
                "megabytes": round(sum(s.stored_bytes for s in segments) / 2**20, 1),
            }
        )
    text = "\n".join(
        f"{t['tape']:<20} {len(t['days']):>4} days {t['lines']:>12,} lines {t['megabytes']:>9} MB  "
        + (f"{t['shards']} shards of " if t["shards"] else "")
        + ", ".join(t["coins"])
        for t in tapes
    )
    emit({"tapes": tapes}, as_json, text or "no tapes: record, import, or run the demo")


@tape_command.command("share")
@at_tape
def share(tape: str | None, home: str | None, as_json: bool) -> None:
    """Put closed segments of a tape where folders.segments says; what is there already is left as it is.

    A recorder does so by itself; this is for imported tapes, and for a recorder that was behind when it ended.
    """
    settings = settings_of(home, tape)
    store = tape_of(settings)
    if store.shared is None:
        raise ConfigError("folders.segments is empty", "s3://BUCKET/PATH, or a folder that machines mount", "not set")
    if not store.exists():
        raise TapeError(f"no tape {settings.tape!r} in {settings.tape_root}", "a recorded or imported tape")
    count = store.shared.share(f"{datetime.now(UTC):%Y-%m-%d}")
    days = store.shared.days()
    text = f"{count} segments put, {len(days)} whole days of tape {settings.tape} in {settings.segments_url}"
    emit({"tape": settings.tape, "segments": count, "days": days}, as_json, text)


@tape_command.command("split")
@click.argument("name")
@click.option("--shards", type=click.IntRange(2, MOST_SHARDS), required=True, help="Into how many.")
@at_home
def split(name: str, shards: int, home: str | None, as_json: bool) -> None:
    """Divide the days of tape NAME that are over into shards of coins; the tape stays, and is read as before.

    Shards that are joined elsewhere give back every line in its place. Run again it goes on with what is left.
    """
    from lotus_store.tape.shards.split import split_tape

    settings = settings_of(home, name)
    store = tape_of(settings)
    with Progress(quiet=as_json) as progress:
        days = split_tape(store, shards, progress)
    text = f"{len(days)} days of tape {store.tape} divided into {shards} shards"
    emit({"tape": store.tape, "shards": shards, "days": days}, as_json, text)


@tape_command.command("prune")
@click.option("--dry-run", is_flag=True, help="Only say which days would go.")
@at_tape
def prune(dry_run: bool, tape: str | None, home: str | None, as_json: bool) -> None:
    """Delete whole days that tape.keep_days and tape.max_gb of lotus.toml let go; the newest two always stay."""
    from lotus_store.tape.retention import RetentionRules, apply_retention, expired_days

    settings = settings_of(home, tape)
    store = tape_of(settings)
    if not store.exists():
        raise TapeError(f"there is no tape {store.tape} in {settings.home}", "a tape that `lotus tape list` shows")
    rules = RetentionRules(settings.limits.keep_days, int(settings.limits.max_gb * 2**30))
    gone = expired_days(store, rules) if dry_run else apply_retention(store, rules)
    emit({"tape": store.tape, "would_go" if dry_run else "gone": gone, "kept": len(store.days())}, as_json)


@tape_command.command("rebuild")
@click.option("--day", "days", multiple=True, required=True, type=DAY, help="Make this day's frames again; repeatable.")
@at_tape
def rebuild(days: tuple[str, ...], tape: str | None, home: str | None, as_json: bool) -> None:
    """Make frames and quotes that retention.frames_days let go again from the tape, to the hash that was committed.

    They stay for a day at least. Where the tape gives others, both hashes are named and nothing is kept.
    """
    from lotus_assets.bodies import stage_context
    from lotus_assets.retention.frames import rebuild_frames
    from lotus_resources.lotus_resource import Lotus

    lotus = Lotus.open(settings_of(home, tape))
    try:
        with Progress(quiet=as_json) as progress, stage_context(lotus) as ctx:
            made = []
            for number, day in enumerate(days):
                progress("days rebuilt", number, len(days), day)
                made.append(rebuild_frames(ctx, day))
    finally:
        lotus.close()
    hashes = {commit.day: commit.content_hash for commit in made}
    lines = [f"{commit.day}  {commit.rows:,} frames, {commit.content_hash} as committed" for commit in made]
    emit({"tape": lotus.settings.tape, "rebuilt": hashes}, as_json, "\n".join(lines))
