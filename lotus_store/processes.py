"""What names a process beyond its number: the machine, its start of the machine, and its own start.

A process id alone is no proof: after a restart, on another machine or in another container it is somebody else's.
Nothing here starts or ends a process. In the literature: process identity in failure detection.
"""

import os
import socket
from contextlib import suppress
from pathlib import Path

from lotus_store.files import process_alive

_BOOT = Path("/proc/sys/kernel/random/boot_id")
# Dagster's pages hide tags of this beginning: four of them on every run would hide what people look for.
HOST_TAG, BOOT_TAG, PID_TAG, BORN_TAG = (f".dagster/lotus-{word}" for word in ("host", "boot", "pid", "born"))


def boot_id() -> str:
    """Return what names this start of the machine ("" where the system does not tell)."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""


def born(pid: int) -> str:
    """Return the start of a process in clock ticks since boot; "" for one that is dead, or where nobody tells."""
    with suppress(OSError, IndexError):
        words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return words[19] if words[0] not in ("Z", "X") else ""
    return ""


def own_tags() -> dict[str, str]:
    """Return the tags that name this process to whoever asks later whether it lives: host, boot, id and start."""
    pid = os.getpid()
    return {HOST_TAG: socket.gethostname(), BOOT_TAG: boot_id(), PID_TAG: str(pid), BORN_TAG: born(pid)}


def is_from_here(host: str, boot: str) -> bool:
    """Tell whether a host and boot id are those of this machine since its start; never where a word is missing."""
    return bool(host and boot) and (host, boot) == (socket.gethostname(), boot_id())


def is_running(pid: int, start: str) -> bool:
    """Tell whether a process of this machine lives; one that was born at another time only has its number."""
    return process_alive(pid) and (not start or born(pid) in ("", start))
