"""Children that are killed: a process forked after all imports, marks that tell where it is, and SIGKILL.

The parent must own no thread, connection or running kernel when it forks; it only waits, draws and kills.
"""

import ctypes
import json
import mmap
import os
import signal
import struct
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

POLL_S = 0.001
PDEATHSIG = 1  # of prctl: a child does not outlive its campaign
_HEAD = struct.Struct("<qq")  # number of marks so far, length of the last one
_SIZE = 256
WAIT_S = 30.0  # for the end, at a failpoint


def is_at(label: str, point: str) -> bool:
    """Tell whether a mark is a failpoint's; a stage that only looks whether its work is done is not at it yet."""
    return bool(point) and label.startswith(point) and ": look" not in label


class Marks:
    """The last mark of a child and how many it made, in memory that parent and child share.

    A child that is forked while `waits_at` is set waits there for its end: the step is too short to be met in passing.
    """

    def __init__(self) -> None:
        """Start without a mark."""
        self._memory = mmap.mmap(-1, _SIZE)
        self.waits_at = ""
        self.clear()

    def clear(self) -> None:
        """Forget all marks."""
        self._memory[:] = bytes(_SIZE)
        self._memory[: _HEAD.size] = _HEAD.pack(0, 0)

    def mark(self, label: str) -> None:
        """Say where the child is now."""
        text = label.encode()[: _SIZE - _HEAD.size]
        self._memory[_HEAD.size : _HEAD.size + len(text)] = text
        self._memory[: _HEAD.size] = _HEAD.pack(self.count + 1, len(text))
        if is_at(label, self.waits_at):
            time.sleep(WAIT_S)

    @property
    def count(self) -> int:
        """Number of marks."""
        return int(_HEAD.unpack(self._memory[: _HEAD.size])[0])

    @property
    def last(self) -> str:
        """The last mark; "start" before the first."""
        length = _HEAD.unpack(self._memory[: _HEAD.size])[1]
        return self._memory[_HEAD.size : _HEAD.size + length].decode(errors="replace") or "start"


@dataclass(slots=True)
class Child:
    """A forked child; `status` is None while it lives, then its exit status (negative: the signal that ended it)."""

    pid: int
    result: Path
    began: float
    status: int | None = None

    def alive(self) -> bool:
        """Look whether it still lives."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status is None

    def kill(self) -> bool:
        """SIGKILL it; return whether it was still alive."""
        if not self.alive():
            return False
        os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        self.status = os.waitstatus_to_exitcode(status)
        return self.status == -signal.SIGKILL

    def wait(self, limit_s: float) -> None:
        """Wait for its end; a child that hangs is killed and is an error."""
        while self.alive():
            if time.monotonic() - self.began > limit_s:
                self.kill()
                raise TimeoutError(f"a run did not end within {limit_s:.0f} s")
            time.sleep(POLL_S)

    def answer(self) -> Any:
        """Return what the job returned; raises when it did not end well."""
        if self.status != 0:
            log = self.result.with_suffix(".log").read_text(errors="replace")[-4000:]
            raise RuntimeError(f"a run ended with {self.status}:\n{log}")
        return json.loads(self.result.read_text())


def spawn(job: Callable[[], Any], result: Path) -> Child:
    """Fork a child in a session of its own that runs `job` and leaves its JSON-able answer in `result`."""
    result.unlink(missing_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    began = time.monotonic()
    pid = os.fork()
    if pid:
        return Child(pid, result, began)
    code = 1
    try:
        os.setsid()
        ctypes.CDLL(None).prctl(PDEATHSIG, signal.SIGKILL)
        log = os.open(result.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        result.write_text(json.dumps(job()))
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def server_pids(home: Path) -> tuple[int | None, int | None]:
    """Return the process ids of the home's database server and of its supervisor, as far as they live."""
    try:
        server = int((home / "pg" / "data" / "postmaster.pid").read_text().split("\n")[0])
        if Path(f"/proc/{server}/comm").read_text().strip() != "postgres":
            return None, None
        supervisor = int(Path(f"/proc/{server}/stat").read_text().rsplit(")", 1)[1].split()[1])
        command = Path(f"/proc/{supervisor}/cmdline").read_bytes()
    except (OSError, ValueError, IndexError):
        return None, None
    return server, supervisor if str(home).encode() in command else None


def kill_server(home: Path, with_supervisor: bool) -> bool:
    """SIGKILL the home's database server (and first its supervisor); return whether it lived."""
    server, supervisor = server_pids(home)
    for pid in ([supervisor] if with_supervisor else []) + [server]:
        if pid is not None:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
    return server is not None
