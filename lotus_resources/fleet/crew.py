"""The workers of a fleet on one machine, each of one slot: started, watched, begun again, and ended without a loss.

One that ended is begun again; one that does not answer for a minute while runs wait is killed and begun again (after a
reset of the broker Celery may stop taking anything), and so is one of which a process was stopped for a minute: it may
hold the lease of a run, which would wait with it. SIGTERM lets each finish its run or, after the patience, gives it
back: killed, its lease ends and another one tries again. In the literature: supervision tree, one level.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from lotus_resources.fleet.broker import QUEUE, away, celery_app, waiting
from lotus_resources.processes import Child, Processes

PATIENCE_S: Final = 300.0
LOOK_S: Final = 15.0
SILENT_S: Final = 60.0  # without an answer, while runs wait
ARGUMENTS: Final = ("--pool", "prefork", "--without-gossip", "--without-mingle", "--loglevel", "INFO")


@dataclass(slots=True)
class Crew:
    """Workers of this machine by name; `logs` takes their output. `say` tells what is done, a line each."""

    environment: Mapping[str, str]
    logs: Path
    say: Callable[[str], None]
    patience_s: float = PATIENCE_S
    look_s: float = LOOK_S
    silent_s: float = SILENT_S
    stopped_s: float = SILENT_S
    _heard: dict[str, float] = field(default_factory=dict)
    _went: dict[str, float] = field(default_factory=dict)  # when none of its processes was seen stopped

    def run(self, slots: int, stopped: Callable[[], bool]) -> int:
        """Keep `slots` workers until stopped or all were drained; return 0."""
        app = celery_app(self.environment)
        with Processes(self.logs, 2.0) as children:
            names = [worker_name(k) for k in range(slots)]
            for name in names:
                self._start(children, name)
            looked = time.monotonic()
            while not stopped() and children.children:
                self._mind(children)
                if time.monotonic() - looked > self.look_s:
                    looked = time.monotonic()
                    self._end_stopped(children)
                    self._ask(app, children)
                time.sleep(0.5)
            self._finish(children)
        return 0

    def _start(self, children: Processes, name: str) -> None:
        words = [sys.executable, "-P", "-m", "celery", "-A", "lotus_resources.fleet.worker", "worker"]
        words += ["-n", name, *ARGUMENTS]
        children.start(name, words, self.environment)
        self._heard[name] = self._went[name] = time.monotonic()
        self.say(f"worker {name} begins")

    def _mind(self, children: Processes) -> None:
        """Begin a worker again that ended by itself; one that ended with code 0 was drained and stays away."""
        for child in list(children.children):
            code = child.process.poll()
            if code is None:
                continue
            _end(child)
            children.children.remove(child)
            if code == 0:
                self.say(f"worker {child.name} is drained")
            else:
                self.say(f"worker {child.name} ended with code {code}: {child.last_words(200)}")
                self._start(children, child.name)

    def _ask(self, app: Any, children: Processes) -> None:
        """Kill a worker that takes nothing although runs wait; it is begun again by the next look."""
        now, answered = time.monotonic(), _answers(app)
        if answered is None:
            return  # the broker is away: nobody can answer
        for child in children.children:
            if child.name in answered or not waiting(app):
                self._heard[child.name] = now
            elif now - self._heard[child.name] > self.silent_s:
                self.say(f"worker {child.name} took nothing for {now - self._heard[child.name]:.0f} s: begun again")
                _end(child)

    def _end_stopped(self, children: Processes) -> None:
        """Kill a worker that was stopped for too long; it is begun again by the next look."""
        now = time.monotonic()
        for child in children.children:
            if not is_stopped(child.process.pid):
                self._went[child.name] = now
            elif now - self._went[child.name] > self.stopped_s:
                self.say(f"worker {child.name} was stopped for {now - self._went[child.name]:.0f} s: begun again")
                _end(child)

    def _finish(self, children: Processes) -> None:
        for child in children.children:
            with suppress(ProcessLookupError):
                os.kill(child.process.pid, signal.SIGTERM)  # of the group's leader alone: its child goes on
        deadline = time.monotonic() + self.patience_s
        for child in children.children:
            with suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.0, deadline - time.monotonic()))
            if child.process.poll() is None:
                self.say(f"worker {child.name} gives its run back after {self.patience_s:.0f} s")
            _end(child)


def worker_name(number: int) -> str:
    """Return the name of a machine's worker, as the broker knows it."""
    return f"{QUEUE}-{os.getpid()}-{number}@{socket.gethostname()}"


def is_stopped(group: int) -> bool:
    """Tell whether any process of a group is stopped by a signal; False where no /proc tells it."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, of_group = stat.read_text().rpartition(")")[2].split()[:3]
            if int(of_group) == group and state == "T":
                return True
    return False


def _answers(app: Any) -> set[str] | None:
    """Return the workers that answer within two seconds; None where the broker does not."""
    with suppress(*away()):
        return {name for answer in app.control.ping(timeout=2.0) for name in answer}
    return None


def _end(child: Child) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.process.pid, signal.SIGKILL)
    child.process.wait()
