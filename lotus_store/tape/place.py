"""Where segments lie: names, numbers and line numbers inside a day folder, and how a finished file becomes visible."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from lotus.errors import TapeError
from lotus_store.files import fsync_folder
from lotus_store.tape.segment import INDEX_SUFFIX, OPEN_SUFFIX, SUFFIX, SegmentMeta, read_index, write_index

OnClosed = Callable[[SegmentMeta], None]  # port through which a catalogue receives closed segments


def segment_name(recv_ns: int, number: int) -> str:
    """Return the file name of an open segment: `<HHMMSS>-<number>.zst.open`."""
    moment = datetime.fromtimestamp(recv_ns // 10**9, UTC)
    return f"{moment:%H%M%S}-{number:04d}{OPEN_SUFFIX}"


def segment_number(name: str) -> int:
    """Return the number of a segment from any of its file names; raises `TapeError` for another name."""
    stem, _, number = name.split(".", 1)[0].partition("-")
    if not (stem.isdecimal() and number.isdecimal()):
        raise TapeError(f"file {name!r} in a tape folder", "<HHMMSS>-<number>.zst", "a file that is not a segment")
    return int(number)


def next_place(folder: Path) -> tuple[int, int]:
    """Return (number, first line number) of the next segment of a day folder, after all closed ones."""
    numbers, lines = [-1], 0
    for index in folder.glob(f"*{INDEX_SUFFIX}"):
        segment = index.with_name(index.name.removesuffix(INDEX_SUFFIX) + SUFFIX)
        if segment.exists():
            meta = read_index(segment)
            numbers.append(meta.number)
            lines = max(lines, meta.first_seq + meta.lines)
    return max(numbers) + 1, lines


def publish(open_path: Path, meta: SegmentMeta, on_closed: OnClosed) -> None:
    """Make a complete, synced `.open` file a closed segment: index first, then the rename, then the catalogue."""
    final = open_path.with_name(meta.name)
    write_index(final, meta)
    open_path.replace(final)
    fsync_folder(final.parent)
    on_closed(meta)
