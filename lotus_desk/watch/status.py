"""Finding the watchdog of a home, by its lock and what it last said; nothing of the venue is imported for it."""

import fcntl
import os
import time
from pathlib import Path
from typing import Any

from lotus_store.processes import boot_id, born
from lotus_store.slate import read_slate

ALIVE_S = 5.0


def watchdog_status(home: Path) -> dict[str, Any]:
    """Return what the watchdog last said, with `alive`: it holds its lock, and spoke within 5 s."""
    slate = read_slate(home / "live" / "watchdog.json") or {}
    spoke = slate.get("boot") == boot_id() and time.monotonic() - float(slate.get("seen_s", 0.0)) < ALIVE_S
    # A new life may hold the lock while the words are of the one before; where nobody tells who lives, words count.
    lives = bool(born(int(slate.get("pid", 0)))) or not born(os.getpid())
    return {**slate, "alive": spoke and lives and is_held(home)}


def lock_path(home: Path) -> Path:
    """Return the file that the watchdog of a home holds locked while it lives."""
    return home / "live" / "watchdog.lock"


def is_held(home: Path) -> bool:
    """Tell whether a watchdog of the home lives."""
    try:
        handle = os.open(lock_path(home), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
