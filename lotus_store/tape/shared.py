"""Tapes in an object store: a closed segment is put there once, and a machine that lacks a whole day gets it.

Below the place: `<tape>/header.json`; for each segment its index `<tape>/<day>/<name>.zst.json`, which claims the name,
then its bytes `<tape>/<day>/<sha256 of the file>.zst`; and, once the day is over, `<tape>/days/<day>.json`, which names
its segments in order. Only such a day is got, whole, into a folder beside, and then renamed. A name can have one
content, the first wins, another is refused. A day that stands in both places has the empty file `.shared` in its folder
and is not looked at again. The recorder writes to its disk first and never waits for this. A tape in shards has
`shards.json` there, and each shard its own place below.
"""

import logging
import os
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from lotus.errors import LotusError, TapeError
from lotus.names import path_step
from lotus_store.blobs.opening import open_blobs
from lotus_store.blobs.port import BlobError, Blobs, create_same
from lotus_store.files import create_bytes, fsync_folder, make_folder, sweep_drafts, write_bytes
from lotus_store.sealed import seal_json, unseal_json
from lotus_store.tape.header import decode_header
from lotus_store.tape.segment import OPEN_SUFFIX, SUFFIX, SegmentMeta, index_path, read_index, sha256
from lotus_store.tape.shards.plan import ORDER, PLAN, decode_plan, read_plan, shards_of

HEADER: Final = "header.json"
IN_BOTH: Final = ".shared"
AGAIN_S: Final = 60.0  # between two tries while the store does not answer
LIST_S: Final = 10.0  # for so long a list of days is not asked for again
FETCH: Final = ".fetch-"
_lists: dict[str, tuple[float, list[str]]] = {}  # by place: when a list of days was got, monotonic, and the list
logger = logging.getLogger(__name__)


class SharedDay(msgspec.Struct, frozen=True):
    """A day that is over: the names of its segments in order and the number of its lines."""

    day: str
    segments: tuple[str, ...]
    lines: int


@dataclass(frozen=True, slots=True)
class SharedTape:
    """One tape of a folder and its place in an object store."""

    folder: Path
    place: str

    @property
    def blobs(self) -> Blobs:
        """The objects of this tape."""
        return open_blobs(f"{self.place.rstrip('/')}/{self.folder.name}")

    def part(self, step: str) -> "SharedTape":
        """Return a shard of this tape, or its order, as a tape of its own."""
        return SharedTape(self.folder / step, f"{self.place.rstrip('/')}/{self.folder.name}")

    def days(self) -> list[str]:
        """Return the days that are whole in the store, oldest first; raises `BlobError` where it is away."""
        days = sorted(key.removeprefix("days/").removesuffix(".json") for key in self.blobs.sizes("days"))
        self._fetch_plan()
        _lists[self.blobs.base] = time.monotonic(), days
        return days

    def days_of_late(self) -> list[str]:
        """Return the days that the store told within ten seconds; where it is away, what it told last, with a word."""
        when, days = _lists.get(self.blobs.base, (-LIST_S, []))
        if time.monotonic() - when < LIST_S:
            return days
        try:
            return self.days()
        except (BlobError, OSError) as problem:
            logger.warning("days of shared tape as they were told last: %s", problem)
            _lists[self.blobs.base] = time.monotonic(), days
            return days

    def has_put(self, day: str) -> bool:
        """Tell whether a day of this home is known to be whole in the store; another place is another store."""
        return self._has_mark(self.folder / path_step(day))

    def mark_put(self, folder: Path) -> None:
        """Note in the folder of a day that the store holds it."""
        write_bytes(folder / IN_BOTH, self.blobs.base.encode())

    def _has_mark(self, folder: Path) -> bool:
        try:
            return (folder / IN_BOTH).read_bytes() == self.blobs.base.encode()
        except FileNotFoundError:
            return False

    def fetch_header(self) -> None:
        """Get the header that this machine lacks, if there is one; raises `TapeError` for a damaged one."""
        path = self.folder / HEADER
        if path.exists():
            return
        try:
            raw = self.blobs.get(HEADER)
        except FileNotFoundError:
            return
        decode_header(raw, f"{self.blobs.base}/{HEADER}")
        write_bytes(path, raw)

    def _fetch_plan(self) -> None:
        """Get the plan of shards that this machine lacks, if there is one."""
        with suppress(FileNotFoundError):
            if not (self.folder / PLAN).exists():
                raw = self.blobs.get(PLAN)
                decode_plan(raw, f"{self.blobs.base}/{PLAN}")
                create_bytes(self.folder / PLAN, raw)

    def fetch(self, day: str) -> bool:
        """Get a day of which this machine has nothing; tell whether it was got.

        Raises `TapeError` for a day that has segments in the store but is not whole there, or is damaged.
        """
        final = self.folder / path_step(day)
        if final.exists():
            return False
        blobs = self.blobs
        try:
            mark = unseal_json(blobs.get(f"days/{final.name}.json"), SharedDay)
        except FileNotFoundError:
            if not (there := len(blobs.sizes(final.name))):
                self._fetch_plan()
                return False
            cause = "the day is not over, or its recorder is behind: lotus tape share on its machine"
            raise TapeError(
                f"{blobs.base}/{day} has {there} objects, not the whole day", "a whole day", cause
            ) from None
        except msgspec.MsgspecError as problem:
            raise TapeError(f"{blobs.base}/days/{day}.json is damaged ({problem})", "a sealed list") from problem
        sweep_drafts(self.folder, FETCH)
        draft = self.folder / f"{FETCH}{final.name}.{os.getpid()}.{threading.get_ident()}"
        shutil.rmtree(draft, ignore_errors=True)
        make_folder(draft)
        try:
            lines = sum(_fetch_segment(blobs, draft, final.name, name).lines for name in mark.segments)
            if lines != mark.lines:
                raise TapeError(f"{blobs.base}/{day} has {lines} lines", f"{mark.lines}", "damage in the object store")
            self.mark_put(draft)
            draft.rename(final)
        except OSError:
            if not final.exists():  # another process of this machine may have been faster
                raise
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        fsync_folder(self.folder)
        return True

    def share(self, today: str) -> int:
        """Put what the store lacks of this tape; return how many segments. Days before `today` (UTC) may be over.

        Raises `BlobError` where the store holds other content or does not answer, `TapeError` for a damaged segment.
        """
        count, blobs = 0, self.blobs
        _lists.pop(blobs.base, None)
        steps = [shard.step for shard in shards_of(read_plan(self.folder))]
        if steps:
            create_same(blobs, PLAN, (self.folder / PLAN).read_bytes())
            self._share_header(blobs)
            there = [step for step in (ORDER, *steps) if (self.folder / step).is_dir()]  # the order before its shards
            count += sum(self.part(step).share(today) for step in there)
        for folder in sorted(self.folder.glob("????-??-??")):
            is_in_shards = steps and all((self.folder / step / folder.name).exists() for step in steps)
            if not is_in_shards and not self._has_mark(folder):
                count += self._share_day(blobs, folder, folder.name < today)
        return count

    def _share_day(self, blobs: Blobs, folder: Path, is_past: bool) -> int:
        is_over = is_past and not any(folder.glob(f"*{OPEN_SUFFIX}"))
        metas = sorted((read_index(path) for path in folder.glob(f"*{SUFFIX}")), key=lambda meta: meta.number)
        held = blobs.sizes(folder.name) if metas else {}
        self._share_header(blobs)
        count = 0
        for meta in metas:
            path, key = folder / meta.name, f"{folder.name}/{meta.file_sha256}{SUFFIX}"
            index = index_path(path)
            if key in held and f"{folder.name}/{index.name}" in held:
                continue
            stored = path.read_bytes()
            if sha256(stored) != meta.file_sha256:
                raise TapeError(f"segment {path} has sha256 {sha256(stored)}", meta.file_sha256, "damage")
            create_same(blobs, f"{folder.name}/{index.name}", index.read_bytes())
            count += create_same(blobs, key, stored)
        if is_over and metas:
            mark = SharedDay(folder.name, tuple(meta.name for meta in metas), sum(meta.lines for meta in metas))
            create_same(blobs, f"days/{folder.name}.json", seal_json(mark, indent=1))
            self.mark_put(folder)
        return count

    def _share_header(self, blobs: Blobs) -> None:
        """Put the header, which may only grow; the store's own may be longer."""
        raw = (self.folder / HEADER).read_bytes()
        try:
            held = blobs.get(HEADER)
        except FileNotFoundError:
            blobs.put(HEADER, raw)
            return
        if held == raw:
            return
        theirs, ours = decode_header(held, f"{blobs.base}/{HEADER}"), decode_header(raw, str(self.folder / HEADER))
        shorter = min(len(theirs.universe), len(ours.universe))
        if theirs.universe[:shorter] != ours.universe[:shorter]:
            coins = [[asset.name for asset in header.universe] for header in (theirs, ours)]
            cause = "another recording under the same name: give one of both another tape.name"
            raise TapeError(f"{blobs.base} holds the universe {coins[0]}", f"{coins[1]}, as here", cause)
        if len(ours.universe) > len(theirs.universe):
            blobs.put(HEADER, raw)


class Sharing:
    """A thread that puts closed segments beside a recorder, and tries again while the store does not answer."""

    def __init__(self, tape: SharedTape, again_s: float = AGAIN_S, today: Callable[[], str] | None = None) -> None:
        """Begin; what an earlier process left unput is put first."""
        self._tape, self._again_s, self._today = tape, again_s, today or utc_day
        self._woken, self._over = threading.Event(), False
        self.problem = ""  # of the last try; empty when all that is closed is in the store
        self._woken.set()
        self._thread = threading.Thread(target=self._run, name="lotus-tape-sharing", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """A segment was closed."""
        self._woken.set()

    def close(self, seconds: float = 30.0) -> None:
        """Try once more, wait for it a while, and end; what is left is put by the next process."""
        self._over = True
        self._woken.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        is_last = False
        while not is_last:
            self._woken.wait(self._again_s if self.problem else None)
            self._woken.clear()
            is_last = self._over
            try:
                if self._tape.folder.exists():
                    self._tape.share(self._today())
                self.problem = ""
            except (LotusError, OSError) as problem:
                if str(problem) != self.problem:
                    logger.warning("segments wait to be shared: %s", problem)
                self.problem = str(problem)


def utc_day() -> str:
    """Return the present day, UTC."""
    return f"{datetime.now(UTC):%Y-%m-%d}"


def _fetch_segment(blobs: Blobs, draft: Path, day: str, name: str) -> SegmentMeta:
    """Get a segment with its index into a folder; raises `TapeError` when it is not the one of the index."""
    path = draft / path_step(name)
    where = f"{blobs.base}/{day}"
    try:
        write_bytes(index_path(path), blobs.get(f"{day}/{index_path(path).name}"))
        meta = read_index(path)
        stored = blobs.get(f"{day}/{meta.file_sha256}{SUFFIX}")
    except FileNotFoundError as problem:
        raise TapeError(f"{where} lacks segment {name} or its index", "all of its day", "removed by hand") from problem
    if meta.day != day or sha256(stored) != meta.file_sha256:
        raise TapeError(f"segment {where}/{name} has sha256 {sha256(stored)}", meta.file_sha256, "damage in the store")
    write_bytes(path, stored)
    return meta
