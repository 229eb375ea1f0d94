"""The signer's journal: every nonce, name and value it ever signed, on the disk before the signature exists.

One line a signature, appended and synced; a torn last line was never signed. From it come the next nonce (never one
twice, through kill -9 and clocks set back), the names that were sent and when they expire, and the value signed today.
One process holds it at a time. In the literature: write-ahead log.
"""

import fcntl
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from io import BufferedWriter
from pathlib import Path
from typing import Any

from lotus.errors import VenueError
from lotus.timebase import DAY_MS

KEEP_DAYS = 8


@dataclass(frozen=True, slots=True)
class Signed:
    """What is known of one signature: after `expires_ms` (venue's clock) its request cannot be accepted any more."""

    nonce: int
    expires_ms: int


class SignerJournal:
    """The journal in a folder, one file a day (UTC). `last_nonce` is the highest ever.

    `names` are those placed in the last days, `modified` those for which a modify was signed.
    """

    def __init__(self, folder: Path) -> None:
        """Lock the folder and read it; raises `VenueError` when another signer holds it or a line is damaged."""
        self.folder = folder
        self.last_nonce = 0
        self.names: dict[str, Signed] = {}
        self.modified: dict[str, Signed] = {}
        self._value: dict[int, Decimal] = {}
        self._day = -1
        self._file: BufferedWriter | None = None
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = os.fdopen(os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "rb+")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise VenueError(f"{folder} is in use", "one signer a key", "another process trades with it") from error

        for path in sorted(folder.glob("*.jsonl"))[-KEEP_DAYS:]:
            self._read(path)

    def close(self) -> None:
        """Give the folder free."""
        if self._file is not None:
            self._file.close()
        self._file = None
        self._lock.close()

    def value_of_day(self, now_ms: int) -> Decimal:
        """Return the value in USD signed in the UTC day of a time."""
        return self._value.get(now_ms // DAY_MS, Decimal(0))

    def modifies_alive(self, now_ms: int) -> list[tuple[str, int]]:
        """Return (name, expiry) of modifies that may still be accepted, those of a former process too."""
        return [(name, signed.expires_ms) for name, signed in self.modified.items() if signed.expires_ms >= now_ms]

    def sign(self, now_ms: int, kind: str, names: Iterable[str], value_usd: Decimal, expires_ms: int) -> int:
        """Record a signature to come and return its nonce, max(now, last + 1); durable when it returns.

        Raises `VenueError` when the line cannot be written: then nothing may be signed.
        """
        nonce = max(now_ms, self.last_nonce + 1)
        key = "m" if kind == "batchModify" else "c"
        line = {"n": nonce, "d": now_ms // DAY_MS, "k": kind, key: list(names), "v": str(value_usd), "x": expires_ms}
        self._append(now_ms // DAY_MS, line)
        self._take(line)
        return nonce

    def void(self, now_ms: int, nonce: int) -> None:
        """Record that what was signed with a nonce never left this machine: its names may be used again."""
        line = {"void": nonce}
        self._append(now_ms // DAY_MS, line)
        self._take(line)

    def _append(self, day: int, line: dict[str, Any]) -> None:
        try:
            if self._file is None or day > self._day:
                self._open(max(day, self._day))
            assert self._file is not None
            self._file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise VenueError(f"the signer's journal cannot be written ({error})", "a disk with room") from error

    def _open(self, day: int) -> None:
        if self._file is not None:
            self._file.close()
        path = self.folder / f"{day:08d}.jsonl"
        self._file, self._day = path.open("ab"), day
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _read(self, path: Path) -> None:
        raw = path.read_bytes()
        whole, _, torn = raw.rpartition(b"\n")
        for number, text in enumerate(whole.split(b"\n") if whole else [], 1):
            try:
                self._take(json.loads(text))
            except (ValueError, KeyError, TypeError) as error:
                raise VenueError(f"{path.name}:{number} is damaged", "the signer's own lines", "a bad disk") from error
        if torn:
            with path.open("r+b") as file:
                file.truncate(len(raw) - len(torn))
                os.fsync(file.fileno())
        self._day = max(self._day, int(path.stem))

    def _take(self, line: dict[str, Any]) -> None:
        if "void" in line:
            for names in (self.names, self.modified):
                for name in [name for name, signed in names.items() if signed.nonce == line["void"]]:
                    del names[name]
            return
        self.last_nonce = max(self.last_nonce, line["n"])
        self.names |= {name: Signed(line["n"], line["x"]) for name in line.get("c", ())}
        self.modified |= {name: Signed(line["n"], line["x"]) for name in line.get("m", ())}
        self._value[line["d"]] = self._value.get(line["d"], Decimal(0)) + Decimal(line["v"])
