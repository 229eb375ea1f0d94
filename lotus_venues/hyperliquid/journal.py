"""The signer's journal: every nonce, name and value it ever signed, on the disk before the signature exists.

One line a signature, appended and synced; a torn last line was never signed. What opens nothing is signed on a full
disk or with the folder gone too: its lines stand in a reserve whose room was taken before, and move when there is room.
On a disk that takes no write at all they wait in memory: no position stays open over a line that nobody can keep.
From the journal come the next nonce (never one twice, through kill -9 and clocks set back), the names that were sent
and when they expire, and the value signed today. One process holds it at a time. In the literature: write-ahead log.
"""

import errno
import fcntl
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from decimal import Decimal
from io import FileIO
from pathlib import Path
from typing import Any

from lotus.errors import VenueError
from lotus.json_text import read_json
from lotus.timebase import DAY_MS, HOUR_MS
from lotus_venues.hyperliquid.signed_names import Signed, SignedNames

KEEP_DAYS = 8
RESERVE_BYTES = 1 << 16  # some 300 signatures; without a whole reserve nothing that opens is signed
_BLANK = b" "


class SignerJournal:
    """The journal in a folder, one file a day (UTC). `last_nonce` is the highest ever.

    `names` are those placed in the last days, `modified` those with a modify that may still be accepted, or could
    within the last hour.
    """

    def __init__(self, folder: Path) -> None:
        """Lock the folder and read it; raises `VenueError` when another signer holds it or a line is damaged."""
        self.folder = folder
        self.last_nonce = 0
        self.names = SignedNames()
        self.modified: dict[str, Signed] = {}
        self._value: dict[int, Decimal] = {}
        self._day = -1
        self._file: FileIO | None = None
        self._reserve = -1
        self._reserved = 0
        self._waiting = b""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = os.fdopen(_opened(folder / "lock"), "rb")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise VenueError(f"{folder} is in use", "one signer a key", "another process trades with it") from error

        for path in sorted(folder.glob("*.jsonl"))[-KEEP_DAYS:]:
            self._read(path)
        self._open_reserve()

    def close(self) -> None:
        """Give the folder free."""
        if self._file is not None:
            self._file.close()
        if self._reserve >= 0:
            os.close(self._reserve)
        self._file, self._reserve = None, -1
        self._lock.close()

    def value_of_day(self, now_ms: int) -> Decimal:
        """Return the value in USD signed in the UTC day of a time, or in the highest day ever journalled if later.

        So a clock set back does not find yesterday's unused budget.
        """
        return self._value.get(self._day_of(now_ms), Decimal(0))

    def modifies_alive(self, now_ms: int) -> list[tuple[str, int]]:
        """Return (name, expiry) of modifies that may still be accepted, those of a former process too."""
        return [(name, signed.expires_ms) for name, signed in self.modified.items() if signed.expires_ms >= now_ms]

    def sign(self, now_ms: int, kind: str, names: Iterable[str], value_usd: Decimal, expires_ms: int) -> int:
        """Record a signature to come and return its nonce, max(now, last + 1); durable when it returns.

        Raises `VenueError` for a value (USD) that is no number or below zero, and when the line cannot be written: then
        nothing may be signed. A value of 0 opens nothing, and its line may go into the reserve.
        """
        if not value_usd.is_finite() or value_usd < 0:
            raise VenueError(f"{value_usd} USD to be signed", "a number, zero or above", "a fault of the signer")
        nonce = max(now_ms, self.last_nonce + 1)
        day = self._day_of(now_ms)
        key = "m" if kind == "batchModify" else "c"
        line = {"n": nonce, "d": day, "k": kind, key: list(names), "v": str(value_usd), "x": expires_ms}
        self._append(day, line)
        self._take(line)
        return nonce

    def void(self, now_ms: int, nonce: int) -> None:
        """Record that what was signed with a nonce never left this machine: its names may be used again."""
        line = {"void": nonce}
        self._append(self._day_of(now_ms), line)
        self._take(line)

    def _day_of(self, now_ms: int) -> int:
        return max(now_ms // DAY_MS, self._day)

    def _append(self, day: int, line: dict[str, Any]) -> None:
        text = json.dumps(line, separators=(",", ":")).encode() + b"\n"
        opens = bool(Decimal(line.get("v", "0")))
        try:
            if opens:
                self._fill_reserve(day)
            self._write(day, text)
        except OSError as error:
            if opens or not self._kept(text):
                raise VenueError(f"the signer's journal cannot be written ({error})", "a disk with room") from error

    def _write(self, day: int, text: bytes) -> None:
        """Append and sync; after a failure the file is opened anew, which cuts off what stands half-written."""
        if self._file is None or day > self._day:
            self._open(max(day, self._day))
        assert self._file is not None
        try:
            if self._file.write(text) != len(text):
                raise OSError(errno.ENOSPC, "half a line was written")
            os.fsync(self._file.fileno())
        except OSError:
            self._file.close()
            self._file = None
            raise

    def _kept(self, text: bytes) -> bool:
        """Hold a line in the reserve, in memory where that takes no write; tell whether there was room."""
        if self._reserved + len(self._waiting) + len(text) > RESERVE_BYTES:
            return False
        try:
            os.pwrite(self._reserve, text, self._reserved)
            os.fsync(self._reserve)
        except OSError:
            self._waiting += text
        else:
            self._reserved += len(text)
        return True

    def _open_reserve(self) -> None:
        """Take the room of the reserve, and read what an earlier life left in it; without room there is none yet."""
        path = self.folder / "reserve"
        with suppress(OSError):
            handle = _opened(path)
            try:
                raw = os.pread(handle, RESERVE_BYTES, 0)
                kept, missing = raw.rfind(b"\n") + 1, RESERVE_BYTES - len(raw)
                self._take_all(path.name, raw[:kept].split(b"\n")[:-1])
                if os.pwrite(handle, _BLANK * missing, len(raw)) != missing:
                    raise OSError(errno.ENOSPC, "no room for the reserve of closing orders")
                os.fsync(handle)
            except OSError:
                os.close(handle)
                raise
            self._reserve, self._reserved = handle, kept

    def _fill_reserve(self, day: int) -> None:
        """Have a whole reserve: move what it holds into the journal. Raises `OSError` where there is no room.

        Killed in between, its lines are read twice, which says the same.
        """
        if self._reserve < 0:
            self._open_reserve()
        if self._reserve < 0:
            raise OSError(errno.ENOSPC, "no room for the reserve of closing orders")
        if self._reserved:
            self._write(day, os.pread(self._reserve, self._reserved, 0))
            os.pwrite(self._reserve, _BLANK * self._reserved, 0)
            os.fsync(self._reserve)
            self._reserved = 0
        if self._waiting:
            self._write(day, self._waiting)
            self._waiting = b""

    def _open(self, day: int) -> None:
        if self._file is not None:
            self._file.close()
        path, self._file = self.folder / f"{day:08d}.jsonl", None
        file = path.open("ab", buffering=0)
        try:
            _cut_torn(path)
            folder = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError:
            file.close()
            raise
        self._file, self._day = file, day
        self.names.prune((day - KEEP_DAYS + 1) * DAY_MS)

    def _read(self, path: Path) -> None:
        with suppress(OSError):  # what cannot be cut off is passed over
            _cut_torn(path)
        self._take_all(path.name, path.read_bytes().split(b"\n")[:-1])
        self._day = max(self._day, int(path.stem))

    def _take_all(self, name: str, lines: Iterable[bytes]) -> None:
        for number, text in enumerate(lines, 1):
            try:
                self._take(read_json(text))
            except (ValueError, KeyError, TypeError, ArithmeticError) as error:
                raise VenueError(f"{name}:{number} is damaged", "the signer's own lines", "a bad disk") from error

    def _take(self, line: dict[str, Any]) -> None:
        if "void" in line:
            self.names.void(line["void"])
            self.modified = {name: signed for name, signed in self.modified.items() if signed.nonce != line["void"]}
            return
        value = Decimal(line["v"])
        if not value.is_finite() or value < 0:
            raise ValueError("a value below zero")
        self._day = max(self._day, line["d"])
        self.last_nonce = max(self.last_nonce, line["n"])
        signed = Signed(line["n"], line["x"])
        self.names.add(line.get("c", ()), signed)
        for name in line.get("m", ()):
            self._modifies(name, signed)
        self._value[line["d"]] = self._value.get(line["d"], Decimal(0)) + value

    def _modifies(self, name: str, signed: Signed) -> None:
        """Note a modify, and drop those that ended long before."""
        self.modified.pop(name, None)
        self.modified[name] = signed
        while self.modified[oldest := next(iter(self.modified))].expires_ms < signed.expires_ms - HOUR_MS:
            del self.modified[oldest]


def _cut_torn(path: Path) -> None:
    """Cut off a last line without an end: it was never signed."""
    raw = path.read_bytes()
    torn = len(raw) - (raw.rfind(b"\n") + 1)
    if torn:
        with path.open("r+b") as file:
            file.truncate(len(raw) - torn)
            os.fsync(file.fileno())


def _opened(path: Path) -> int:
    """Open a file that is made when it is not there; on a disk that turned read-only what is there, for reading."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as problem:
        if problem.errno != errno.EROFS:
            raise
        return os.open(path, os.O_NOFOLLOW | os.O_CLOEXEC)
