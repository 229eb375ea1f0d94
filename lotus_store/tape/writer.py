"""The recorder's pen: appends lines to an open segment, closes it by time, size or UTC day, and stops on a full disk.

A segment being written ends in `.open`; closing it means: end the zstd frame, fsync, write the index, rename. A crash
leaves the `.open` file, which the next start salvages up to the last whole line. The clock is the caller's receive
stamp; nothing here decodes a frame. Lines are packed and hashed many at a time, by a thread beside the caller's where
they come in masses. (Literature: log-structured storage, write-ahead segments.)
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import zstandard

from lotus.errors import TapeError
from lotus.timebase import NS_PER_MS, day_of, day_start_ms, next_day
from lotus_store.files import fsync_folder, make_folder
from lotus_store.private import open_private
from lotus_store.tape.place import OnClosed, next_place, publish, segment_name
from lotus_store.tape.recovery import recover
from lotus_store.tape.segment import LEVEL, OPEN_SUFFIX, SILENCE_NS, SUFFIX, SegmentMeta

_PACK_BYTES = 256 * 1024  # uncompressed bytes that the thread packs at once


@dataclass(frozen=True, slots=True)
class WriterRules:
    """When a segment is closed and when recording stops."""

    segment_ms: int = 15 * 60_000  # receive time of one segment
    segment_bytes: int = 64 * 2**20  # uncompressed size of one segment
    reserve_bytes: int = 2 * 2**30  # free disk space below which recording stops
    check_bytes: int = 4 * 2**20  # uncompressed bytes between two looks at the disk


@dataclass(slots=True)
class _Open:
    """The segment being written."""

    day: str
    number: int
    first_seq: int
    path: Path
    file: BinaryIO
    packer: "zstandard.ZstdCompressionObj"
    digest: "hashlib._Hash"
    stored: "hashlib._Hash"
    first_recv_ns: int
    last_recv_ns: int
    due_ns: int  # receive stamp from which its time is over: 0 once it is large enough
    waiting: list[bytes] = field(default_factory=list)  # lines not packed yet
    packing: "Future[None] | None" = None
    syncing: "Future[None] | None" = None
    packed_bytes: int = 0  # uncompressed; those that the thread packs now included
    look_bytes: int = 0  # uncompressed bytes at which there is something to do
    lines: int = 0
    raw_bytes: int = 0
    stored_bytes: int = 0
    checked_bytes: int = 0
    silences: int = 0
    max_silence_ns: int = 0


class SegmentWriter:
    """Writer of one tape folder; one process at a time. Use as a context manager or call `close`.

    `on_closed` is called with every closed segment (also salvaged ones); `free_bytes` returns the free disk space. A
    line that is stamped before `first_day` stands in that day.
    """

    def __init__(
        self,
        folder: Path,
        tape: str,
        rules: WriterRules | None = None,
        on_closed: OnClosed | None = None,
        free_bytes: Callable[[Path], int] | None = None,
        first_day: str = "",
    ) -> None:
        """Open the folder and salvage what a dead writer left; raises `TapeError` when the disk is full."""
        self._folder, self._tape = folder, tape
        self._rules = rules or WriterRules()
        self._on_closed = on_closed or (lambda meta: None)
        self._free_bytes = free_bytes or (lambda path: shutil.disk_usage(path).free)
        self._first_day = first_day
        self._open: _Open | None = None
        self._failure: TapeError | None = None
        self._beside = ThreadPoolExecutor(2, "lotus-tape-writer")  # one packs, one waits for the disk
        make_folder(folder)
        self._lock = _lock(folder)
        try:
            self._check_disk()
            self.recovered = recover(folder, tape, self._on_closed)
        except BaseException:
            self._lock.close()
            raise

    def __enter__(self) -> "SegmentWriter":
        """Return the writer."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the open segment."""
        self.close()

    def append(self, recv_ns: int, frame: bytes) -> int:
        """Append one frame (no newline inside: see `clean_frame`); return its line number within the UTC day.

        Raises `TapeError` when the disk is nearly full; all lines appended before are then stored and closed. After a
        write that failed every further line is refused: a tape may end early, but never has a hole.
        """
        if self._failure is not None:
            raise self._failure
        if b"\n" in frame or recv_ns < 0:
            raise TapeError(f"frame {frame[:40]!r} at {recv_ns}", "one line and a stamp", "clean_frame was not applied")
        current = self._open
        if current is None or recv_ns >= current.due_ns:
            current = self._turn(recv_ns)
        line = b"%d %b\n" % (recv_ns, frame)
        current.waiting.append(line)
        silence = recv_ns - current.last_recv_ns
        if silence > SILENCE_NS:
            current.silences += 1
        if silence > current.max_silence_ns:
            current.max_silence_ns = silence
        if silence > 0:
            current.last_recv_ns = recv_ns
        number = current.first_seq + current.lines
        current.lines += 1
        current.raw_bytes += len(line)
        if current.raw_bytes >= current.look_bytes:
            self._look(current)
        return number

    def flush(self) -> None:
        """Hand every appended line to the operating system: a killed process loses nothing that was flushed.

        Raises `TapeError` when a write failed, now or before: then lines are missing on the tape.
        """
        if self._failure is not None:
            raise self._failure
        if self._open is not None:
            current = self._open
            self._pack(current, self._take_waiting(current))
            self._put(current, current.packer.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK))
            with self._loud(current.path, current.file):
                current.file.flush()

    def sync(self) -> None:
        """Make every appended line durable against a power cut; raises `TapeError` when the disk is nearly full."""
        if self._open is not None:
            self.flush()
            self._make_durable(self._open)
            self._stop_if_full()

    def sync_beside(self) -> None:
        """Make every appended line durable as `sync`, but let a thread wait for the disk.

        What it meets is raised by a later call; nothing is done while an earlier one still waits.
        """
        current = self._open
        if current is None or (current.syncing is not None and not current.syncing.done()):
            return
        if current.syncing is not None:
            current.syncing.result()
        self.flush()
        current.syncing = self._beside.submit(self._make_durable, current)
        self._stop_if_full()

    def rotate(self, recv_ns: int) -> None:
        """Close the open segment if its time is over at `recv_ns` (for a stream that fell silent)."""
        if self._open is not None and recv_ns >= self._open.due_ns:
            self._close_segment()

    def close(self) -> SegmentMeta | None:
        """Close the open segment, if any, return its index, and let another writer in."""
        try:
            return self._close_segment()
        finally:
            self._beside.shutdown()
            self._lock.close()

    def _close_segment(self) -> SegmentMeta | None:
        current, self._open = self._open, None
        if current is None:
            return None
        self._pack(current, self._take_waiting(current))
        if current.syncing is not None:
            current.syncing.result()
        self._put(current, current.packer.flush(zstandard.COMPRESSOBJ_FLUSH_FINISH))
        with self._loud(current.path, current.file):
            current.file.flush()
            os.fsync(current.file.fileno())
            current.file.close()
        meta = SegmentMeta(
            tape=self._tape,
            day=current.day,
            name=current.path.name.removesuffix(OPEN_SUFFIX) + SUFFIX,
            number=current.number,
            first_seq=current.first_seq,
            lines=current.lines,
            first_recv_ns=current.first_recv_ns,
            last_recv_ns=current.last_recv_ns,
            raw_bytes=current.raw_bytes,
            stored_bytes=current.stored_bytes,
            content_sha256=current.digest.hexdigest(),
            file_sha256=current.stored.hexdigest(),
            silences=current.silences,
            max_silence_ms=current.max_silence_ns // NS_PER_MS,
        )
        self._check_own()
        with self._loud(current.path, current.file):
            publish(current.path, meta, self._on_closed)
        return meta

    def _turn(self, recv_ns: int) -> _Open:
        day = max(day_of(recv_ns // NS_PER_MS), self._first_day)
        if self._open is not None:
            day = max(day, self._open.day)
        self._close_segment()
        self._check_own()
        self._check_disk()
        number, first_seq = next_place(self._folder / day)
        folder = self._folder / day
        path = folder / segment_name(recv_ns, number)
        with self._loud(path):
            make_folder(folder)
            file = path.open("xb")
            fsync_folder(folder)
        self._open = _Open(
            day,
            number,
            first_seq,
            path,
            file,
            zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compressobj(),
            hashlib.sha256(),
            hashlib.sha256(),
            recv_ns,
            recv_ns,
            min(recv_ns + self._rules.segment_ms * NS_PER_MS, day_start_ms(next_day(day)) * NS_PER_MS),
        )
        return self._open

    def _look(self, current: _Open) -> None:
        """Let the thread pack what has come together, look at the disk when it is time, and end what is large."""
        if current.raw_bytes >= self._rules.segment_bytes:
            current.due_ns = 0
        if current.raw_bytes - current.packed_bytes >= _PACK_BYTES:
            lines = self._take_waiting(current)
            current.packing = self._beside.submit(self._pack, current, lines)
        if current.raw_bytes - current.checked_bytes >= self._rules.check_bytes:
            current.checked_bytes = current.raw_bytes
            self._stop_if_full()
        next_check = current.checked_bytes + self._rules.check_bytes
        current.look_bytes = min(current.packed_bytes + _PACK_BYTES, next_check, self._rules.segment_bytes)

    def _take_waiting(self, current: _Open) -> bytes:
        """Return the lines to be packed next, once the thread has packed those before; raises what it met."""
        if current.packing is not None:
            current.packing.result()
        lines, current.waiting, current.packed_bytes = b"".join(current.waiting), [], current.raw_bytes
        return lines

    def _make_durable(self, current: _Open) -> None:
        with self._loud(current.path, current.file):
            os.fsync(current.file.fileno())

    def _pack(self, current: _Open, lines: bytes) -> None:
        current.digest.update(lines)
        self._put(current, current.packer.compress(lines))

    def _put(self, current: _Open, stored: bytes) -> None:
        if stored:
            with self._loud(current.path, current.file):
                current.file.write(stored)
            current.stored.update(stored)
            current.stored_bytes += len(stored)

    @contextmanager
    def _loud(self, path: Path, file: BinaryIO | None = None) -> Iterator[None]:
        """Turn an error of the disk into a `TapeError` after which this writer takes nothing any more."""
        try:
            yield
        except OSError as error:
            self._open = None
            if file is not None:
                with suppress(OSError):
                    file.close()
            self._failure = TapeError(
                f"{path} cannot be written ({error}): recording stopped",
                "a writable disk",
                "a full or failing disk; the next start salvages every whole line",
            )
            raise self._failure from error

    def _stop_if_full(self) -> None:
        try:
            self._check_disk()
        except TapeError:
            self._close_segment()
            raise

    def _check_own(self) -> None:
        """Raise `TapeError` when another process took the tape over while this one was stopped."""
        with suppress(FileNotFoundError):
            if not os.path.samestat(os.fstat(self._lock.fileno()), (self._folder / ".lock").stat()):
                cause = "this process was stopped for longer than its lease"
                raise TapeError(f"tape {self._folder} was taken over by another process", "one writer", cause)

    def _check_disk(self) -> None:
        free = self._free_bytes(self._folder)
        if free < self._rules.reserve_bytes:
            raise TapeError(
                f"{free / 2**30:.2f} GB free at {self._folder}: recording stopped, everything before is stored",
                f"at least {self._rules.reserve_bytes / 2**30:.2f} GB",
                "a full disk; free space or set tape.keep_days, then start again",
            )


def _lock(folder: Path) -> BinaryIO:
    """Take the folder's writer lock; raises `TapeError` when another process writes this tape."""
    handle = open_private(folder / ".lock")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        handle.close()
        raise TapeError(
            f"tape {folder} is being written", "one recorder per tape", "another process records"
        ) from error
    return handle
