"""What a dead writer left: every `.open` file becomes a closed segment of its whole lines. Writing is `writer`."""

import os
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from lotus_store.files import fsync_folder
from lotus_store.tape.place import OnClosed, next_place, publish, segment_number
from lotus_store.tape.segment import (
    OPEN_SUFFIX,
    SILENCE_NS,
    SUFFIX,
    SegmentMeta,
    line_stamp,
    pack,
    salvage,
    sha256,
)


@dataclass(frozen=True, slots=True)
class Recovered:
    """What the start found of a writer that died: the segment made of it (None: no whole line) and lost bytes."""

    open_file: str
    meta: SegmentMeta | None
    lost_bytes: int


def recover(folder: Path, tape: str, on_closed: OnClosed) -> tuple[Recovered, ...]:
    """Turn every `.open` file of a dead writer into a closed segment of its whole lines, oldest first."""
    open_files = sorted(
        folder.glob(f"*/*{OPEN_SUFFIX}"), key=lambda path: (path.parent.name, segment_number(path.name))
    )
    return tuple(_recover_one(path, tape, on_closed) for path in open_files)


def _recover_one(path: Path, tape: str, on_closed: OnClosed) -> Recovered:
    saved = salvage(path.read_bytes())
    if not saved.lines:
        path.unlink()
        fsync_folder(path.parent)
        return Recovered(path.name, None, saved.lost_bytes)
    stored = pack(saved.lines)
    temporary = path.with_name(f".{path.name}.salvage")
    temporary.write_bytes(stored)
    with temporary.open("rb") as handle:
        os.fsync(handle.fileno())
    temporary.replace(path)
    meta = describe_lines(tape, path, saved.lines, stored)
    publish(path, meta, on_closed)
    return Recovered(path.name, meta, saved.lost_bytes)


def describe_lines(tape: str, path: Path, lines: bytes, stored: bytes) -> SegmentMeta:
    """Return the index of a segment from its lines and stored bytes; its place follows the closed ones of its day."""
    stamps = [line_stamp(line) for line in lines.split(b"\n")[:-1]]
    silences = [later - earlier for earlier, later in pairwise(stamps)]
    _, first_seq = next_place(path.parent)
    return SegmentMeta(
        tape=tape,
        day=path.parent.name,
        name=path.name.removesuffix(OPEN_SUFFIX) + SUFFIX,
        number=segment_number(path.name),
        first_seq=first_seq,
        lines=len(stamps),
        first_recv_ns=stamps[0],
        last_recv_ns=max(stamps),
        raw_bytes=len(lines),
        stored_bytes=len(stored),
        content_sha256=sha256(lines),
        file_sha256=sha256(stored),
        silences=sum(one > SILENCE_NS for one in silences),
        max_silence_ms=max(silences, default=0) // 1_000_000,
    )
