"""The journal of a randomiser: one line a record, written to the operating system before anything acts on it.

A process that is killed loses no record whose call returned, and a line that was cut short is cut away when the journal
is opened again: nobody was told of it. One process writes. In the literature: a write-ahead log.
"""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from lotus.errors import ConfigError, SchemaError

HEADER, DRAW, FILL, OUTCOME, PAPER, VOID = "header", "draw", "fill", "outcome", "paper", "void"
_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(list[Any])
_MOST: Final = 2**16  # bytes of one record


class Journal:
    """An open journal; `append` returns when the record is with the operating system."""

    def __init__(self, path: Path) -> None:
        """Open or make the file, for this process alone; raises `ConfigError` when another has it or it cannot be."""
        self.path, self._process = path, os.getpid()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}", "a file that can be written to") from None
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._handle)
            raise ConfigError(f"{path} is written by another process", "one writer", "a bot that still runs?") from None
        self._cut()

    def append(self, *record: Any) -> None:
        """Write one record; raises `ConfigError` when it cannot be written whole: then it was not.

        A forked child has the lock as well and would give rows the numbers of its parent's, so it may not write.
        """
        if self._handle < 0:
            cause = "a bot that goes on after `close`, or after its `with` block: open the log again"
            raise ConfigError(f"{self.path} is closed", "an open log", cause)
        if os.getpid() != self._process:
            found = f"{self.path} was opened by process {self._process}, before a fork"
            raise ConfigError(found, "one writer", "draw in the process that opened it, or open a log in the child")
        line = _ENCODER.encode(record) + b"\n"
        if len(line) > _MOST:
            raise SchemaError(f"a record of {len(line):,} bytes", f"at most {_MOST:,}", "a text in place of a number?")
        try:
            written = os.write(self._handle, line)
        except OSError as error:
            raise ConfigError(f"{self.path}: {error.strerror}", "room for one more line", "a full disk?") from None
        if written != len(line):
            self._cut()
            raise ConfigError(f"{self.path}: {written} of {len(line)} bytes written", "all of a line", "a full disk?")

    def close(self) -> None:
        """Let go of the file; its number may be another file's from now on."""
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)

    def _cut(self) -> None:
        """Cut a last line that does not end away."""
        size = os.fstat(self._handle).st_size
        at = size
        while at > 0:
            begin = max(0, at - _MOST)
            last = os.pread(self._handle, at - begin, begin).rfind(b"\n")
            if last >= 0:
                at = begin + last + 1
                break
            at = begin
        if at != size:
            os.ftruncate(self._handle, at)


def records(path: Path) -> Iterator[list[Any]]:
    """Yield the records of a journal, a line that is being written left out; raises `SchemaError` for a damaged one."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.endswith(b"\n"):
                return
            try:
                yield _DECODER.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                cause = "a failing disk, or edited by hand?"
                raise SchemaError(f"{path}, line {number}: {error}", "a record of this journal", cause) from None
