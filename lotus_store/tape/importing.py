"""Building a tape from foreign lines, atomically: everything in a temporary folder, then one rename per day.

Importing the same source twice changes nothing; a source whose day is already there with other lines is refused, and
a failure anywhere leaves the tape as it was. Reading the sources is `import_recording` and `import_archive`.
"""

import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lotus.errors import TapeError
from lotus.manifest import Asset
from lotus.progress.steps import Steps, untold
from lotus_store.files import fsync_folder, make_folder
from lotus_store.tape.coin_units import CoinSurvey
from lotus_store.tape.header import TapeHeader
from lotus_store.tape.place import OnClosed
from lotus_store.tape.segment import SegmentMeta
from lotus_store.tape.store import TapeStore
from lotus_store.tape.writer import WriterRules


@dataclass(frozen=True, slots=True)
class ImportSource:
    """What is imported: a name for the header, the coins to place first, and optional remarks."""

    source: str
    first: tuple[Asset, ...] = ()
    sessions: tuple[tuple[str, str], ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did; `added` = days new on disk, `unchanged` = days already there with the same lines.

    `put_aside`: lines of these days that the decoder cannot use, by reason.
    """

    header: TapeHeader
    lines: int
    added: tuple[str, ...]
    unchanged: tuple[str, ...]
    segments: tuple[SegmentMeta, ...]
    put_aside: dict[str, int]


def import_lines(
    store: TapeStore,
    lines: Iterable[tuple[int, bytes]],
    what: ImportSource,
    rules: WriterRules | None = None,
    on_closed: OnClosed | None = None,
    progress: Steps = untold,
) -> ImportReport:
    """Write (receive stamp, frame) pairs, in the order given, as days of a tape.

    Raises `TapeError` when nothing is there to import, a source is damaged, a day exists with other lines, or the
    tape has another universe; the tape is then as before.
    """
    workshop = store.folder.parent / f".import-{store.folder.name}"
    shutil.rmtree(workshop, ignore_errors=True)
    draft = TapeStore(workshop, store.tape)
    try:
        seen, count = CoinSurvey(), 0
        with draft.writer(rules) as writer:
            for recv_ns, frame in lines:
                writer.append(recv_ns, frame)
                seen.see(frame)
                count += 1
        if not count:
            raise TapeError(f"{what.source} has no lines", "lines of tape", "an empty file or another day")
        header = TapeHeader(
            tape=store.tape,
            source=what.source,
            universe=seen.universe(what.first),
            sessions=what.sessions,
            created_by="import",
            note=what.note,
        )
        return _merge(draft, store, header, count, on_closed or (lambda meta: None), progress)
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def _merge(
    draft: TapeStore, store: TapeStore, header: TapeHeader, count: int, on_closed: OnClosed, progress: Steps
) -> ImportReport:
    days = draft.days()
    unchanged = [day for day in days if (store.folder / day).exists() and _same_day(draft, store, day)]
    make_folder(store.folder)
    if store.exists():
        header = _joined(store.header(), header)
    store.write_header(header)
    for day in days:
        if day not in unchanged:
            (draft.folder / day).replace(store.folder / day)
    fsync_folder(store.folder)
    segments = tuple(meta for day in days for meta in store.segments(day))
    for meta in segments:
        on_closed(meta)
    added = tuple(day for day in days if day not in unchanged)
    put_aside = Counter[str]()
    for number, day in enumerate(days):
        progress("days checked", number, len(days), day)
        put_aside.update(store.decode_day(day)[1].reasons)
    return ImportReport(
        header=header,
        lines=count,
        added=added,
        unchanged=tuple(unchanged),
        segments=segments,
        put_aside=dict(put_aside),
    )


def _same_day(draft: TapeStore, store: TapeStore, day: str) -> bool:
    """Return True for equal lines; raises `TapeError` for other lines."""
    new, held = draft.segments(day), store.segments(day)
    if [meta.content_sha256 for meta in new] != [meta.content_sha256 for meta in held]:
        raise TapeError(
            f"tape {store.tape} already holds {day} with other lines ({sum(meta.lines for meta in held)})",
            f"the same {sum(meta.lines for meta in new)} lines, or no such day",
            "another source; import it under another tape name",
        )
    return True


def _joined(held: TapeHeader, new: TapeHeader) -> TapeHeader:
    """Return the held header with coins it lacks appended."""
    names = {asset.name for asset in held.universe}
    extra = tuple(asset for asset in new.universe if asset.name not in names)
    return TapeHeader(
        tape=held.tape,
        source=held.source,
        universe=held.universe + extra,
        sessions=held.sessions,
        created_by=held.created_by,
        note=held.note,
    )


def expand(paths: Sequence[Path], pattern: str) -> list[Path]:
    """Return files as given and the matching files of folders, sorted; raises `TapeError` when there is none."""
    paths_found: list[Path] = []
    for path in paths:
        paths_found += sorted(path.glob(pattern)) if path.is_dir() else [path]
    if not paths_found:
        raise TapeError(f"no files in {[str(path) for path in paths]}", pattern)
    return paths_found
