"""Taking over a tape whose writer is stopped or stuck: its folder is set aside, and one with the same lines goes on.

Closed segments are linked, the open one is copied and salvaged, so what the former writer still appends is in nobody's
tape. Killed at any point and begun again, nothing is lost. (Literature: fencing, copy on write.)
"""

import fcntl
import os
import shutil
import time
from pathlib import Path

from lotus_store.files import fsync_folder
from lotus_store.tape.recovery import recover
from lotus_store.tape.segment import OPEN_SUFFIX, SegmentMeta
from lotus_store.tape.store import TapeStore

PATIENCE_S = 1.5  # for a former writer that is just ending
_LOOK_S = 0.05
_LOCK = ".lock"


def take_over_tape(store: TapeStore, epoch: int, patience_s: float = PATIENCE_S) -> list[SegmentMeta]:
    """Make a tape writable whose lease this process holds by `epoch`; return segments salvaged from a copy."""
    folder = store.folder
    coming = folder.with_name(f"{folder.name}.next")
    for left in folder.parent.glob(f"{folder.name}.left-*"):
        if _is_free(left):
            shutil.rmtree(left, ignore_errors=True)
    if coming.is_dir() and not folder.is_dir():
        coming.rename(folder)
    shutil.rmtree(coming, ignore_errors=True)
    until_s = time.monotonic() + patience_s
    while not _is_free(folder):
        if time.monotonic() < until_s:
            time.sleep(_LOOK_S)
            continue
        salvaged: list[SegmentMeta] = []
        _copy(folder, coming)
        recover(coming, store.tape, salvaged.append)
        folder.rename(folder.with_name(f"{folder.name}.left-{epoch}"))
        coming.rename(folder)
        fsync_folder(folder.parent)
        return salvaged
    return []


def _copy(folder: Path, into: Path) -> None:
    into.mkdir()
    for path in sorted(folder.rglob("*")):
        to = into / path.relative_to(folder)
        if path.is_dir() or path.name.startswith("."):
            continue
        to.parent.mkdir(parents=True, exist_ok=True)
        if path.name.endswith(OPEN_SUFFIX):  # by another name, which the former writer cannot describe
            shutil.copyfile(path, to.with_name(f"0{path.name}"))
        else:
            os.link(path, to)


def _is_free(folder: Path) -> bool:
    """Tell whether no process writes a tape folder."""
    try:
        with (folder / _LOCK).open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return True
    except BlockingIOError:
        return False
    return True
