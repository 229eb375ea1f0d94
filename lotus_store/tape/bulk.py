"""Whole segments written at once from lines that are already text, for sources that produce them by the megabyte."""

import hashlib
from pathlib import Path

import numpy as np

from lotus.errors import TapeError
from lotus.timebase import NS_PER_MS, day_of
from lotus_store.files import write_bytes
from lotus_store.tape.place import segment_name
from lotus_store.tape.segment import OPEN_SUFFIX, SILENCE_NS, SUFFIX, SegmentMeta, pack, sha256, write_index

_STAMP = 19  # digits of a receive stamp in ns


def write_segment(folder: Path, tape: str, lines: bytes, number: int, first_seq: int) -> SegmentMeta:
    """Write `lines` (whole lines, 19-digit stamps, one UTC day) as one closed segment of `folder`; return its index.

    Raises `TapeError` for text that does not end with a line or whose stamps have another length.
    """
    stamps = _stamps(lines)
    silence = np.diff(stamps)
    day = day_of(int(stamps[0]) // NS_PER_MS)
    name = segment_name(int(stamps[0]), number).removesuffix(OPEN_SUFFIX) + SUFFIX
    stored = pack(lines)
    meta = SegmentMeta(
        tape=tape,
        day=day,
        name=name,
        number=number,
        first_seq=first_seq,
        lines=len(stamps),
        first_recv_ns=int(stamps[0]),
        last_recv_ns=int(stamps.max()),
        raw_bytes=len(lines),
        stored_bytes=len(stored),
        content_sha256=hashlib.sha256(lines).hexdigest(),
        file_sha256=sha256(stored),
        silences=int((silence > SILENCE_NS).sum()),
        max_silence_ms=max(0, int(silence.max(initial=0)) // NS_PER_MS),
    )
    write_bytes(folder / name, stored)
    write_index(folder / name, meta)
    return meta


def _stamps(lines: bytes) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    if not lines.endswith(b"\n"):
        raise TapeError(f"lines end with {lines[-40:]!r}", "a whole last line", "a source that was cut")
    text = np.frombuffer(lines, dtype=np.uint8)
    starts = np.concatenate([[0], np.flatnonzero(text == ord("\n"))[:-1] + 1])
    digits = text[starts[:, None] + np.arange(_STAMP + 1)].astype(np.int64)
    if (digits[:, _STAMP] != ord(" ")).any() or (digits[:, :_STAMP] - ord("0") > 9).any():
        raise TapeError("a line without a 19-digit receive stamp", "<recv_ns> <frame>")
    return np.asarray((digits[:, :_STAMP] - ord("0")) @ (10 ** np.arange(_STAMP - 1, -1, -1, dtype=np.int64)))
