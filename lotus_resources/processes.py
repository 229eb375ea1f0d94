"""A small supervisor: start children, wait until they are ready, stop all of them and leave no process behind.

Every child leads a session of its own, so one signal to the parent is passed on once and in order, and whatever a child
spawned is reached through its process group. On Linux children also get SIGTERM when the parent dies without a word.
What the children do does not belong here. Idea in the literature: supervision tree, one level.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from lotus.errors import LotusError
from lotus_store.private import open_new_log

PDEATHSIG = 1
POLL_S = 0.1


class ProcessError(LotusError):
    """A child ended or was not ready in time."""


@dataclass(frozen=True, slots=True)
class Child:
    """One started program and the file that takes its output."""

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path

    def last_words(self, size: int = 800) -> str:
        """Return the end of the child's log."""
        return self.log.read_text(errors="replace")[-size:].strip()


@dataclass(slots=True)
class Processes:
    """Children in the order of their start; use as a context manager, which stops them in reverse order."""

    logs: Path
    patience_s: float = 10.0
    children: list[Child] = field(default_factory=list)

    def __enter__(self) -> "Processes":
        self.logs.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> Child:
        """Start a program in a session of its own; its output goes to `<logs>/<name>.log` (before: `.log.1`)."""
        log = self.logs / f"{name}.log"
        with open_new_log(log) as sink:
            process = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
                preexec_fn=_prepare_child if sys.platform == "linux" else None,
            )
        child = Child(name, process, log)
        self.children.append(child)
        return child

    def wait_ready(self, name: str, ready: Callable[[], bool], timeout_s: float = 60.0) -> float:
        """Wait until `ready()`; return the seconds it took. Raises `ProcessError` when a child ends or time is up."""
        began = time.monotonic()
        while not ready():
            self.check()
            if time.monotonic() - began > timeout_s:
                words = next((c.last_words() for c in self.children if c.name == name), "")
                raise ProcessError(f"{name} is not ready after {timeout_s:.0f} s", "a quick start", words)
            time.sleep(POLL_S)
        return time.monotonic() - began

    def check(self) -> None:
        """Raise `ProcessError` for the first child that has ended."""
        for child in self.children:
            code = child.process.poll()
            if code is not None:
                raise ProcessError(f"{child.name} ended with code {code}", "a running process", child.last_words())

    def end(self, name: str) -> None:
        """Stop one child, so that it may be started again under its name."""
        child = next(child for child in self.children if child.name == name)
        child.process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            child.process.wait(self.patience_s)
        _end_group(child.process.pid, 0.5)
        child.process.wait()
        self.children.remove(child)

    def stop(self) -> None:
        """Ask children to end, youngest first; after the patience kill each whole process group."""
        for child in reversed(self.children):
            if child.process.poll() is None:
                child.process.send_signal(signal.SIGINT)
        deadline = time.monotonic() + self.patience_s
        for child in reversed(self.children):
            with suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.0, deadline - time.monotonic()))
            _end_group(child.process.pid, max(0.5, deadline - time.monotonic()))
            child.process.wait()
        self.children.clear()


def _end_group(group: int, patience_s: float) -> None:
    """End what is left of a process group: SIGTERM, then SIGKILL."""
    for sign, wait_s in ((signal.SIGTERM, patience_s), (signal.SIGKILL, 5.0)):
        deadline = time.monotonic() + wait_s
        while _group_lives(group):
            if time.monotonic() > deadline:
                break
            with suppress(ProcessLookupError):
                os.killpg(group, sign)
            time.sleep(POLL_S)


def _group_lives(group: int) -> bool:
    """Tell whether a group has a living member; reaps nothing, so an unreaped leader counts as dead by its state."""
    members = [p for p in Path("/proc").iterdir() if p.name.isdigit()] if Path("/proc/self").exists() else []
    for place in members:
        with suppress(OSError, IndexError, ValueError):
            words = (place / "stat").read_text().rsplit(")", 1)[1].split()
            if int(words[2]) == group and words[0] != "Z":
                return True
    if members:
        return False
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _prepare_child() -> None:
    """End with the parent, and hear SIGINT though a shell's background job, which the parent may be, ignores it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    ctypes.CDLL(None).prctl(PDEATHSIG, signal.SIGTERM, 0, 0, 0)
