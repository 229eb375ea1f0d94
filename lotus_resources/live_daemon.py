"""The live daemon as a Dagster resource: start, stop, status.

The daemon is a process of its own (`python -m lotus_live`) that never imports Dagster and is never waited for; this
resource only spawns it, finds it again by its pid file, and asks.
"""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import dagster as dg

from lotus.json_text import read_json
from lotus_store.config import Settings, load_settings
from lotus_store.files import make_folder, process_alive, write_bytes
from lotus_store.private import open_private, own_home
from lotus_store.processes import born

STOP_S = 15.0


class LiveDaemonResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Start, stop and ask the live daemon of a home (`home` empty: lotus.toml and the environment decide)."""

    home: str = ""
    arguments: list[str] = []  # noqa: RUF012 -- a field of the resource, not shared state

    def start(self) -> dict[str, Any]:
        """Start the daemon unless it runs; return its status."""
        settings = self._settings()
        if self._pid(settings) is None:
            folder = _folder(settings)
            own_home(settings.home)
            make_folder(folder)
            environment = {**os.environ, "LOTUS_HOME": str(settings.home)}
            with open_private(folder / "daemon.log") as log:
                process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "lotus_live", *self.arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=environment,
                    start_new_session=True,
                )
            note = {"pid": process.pid, "born": born(process.pid), "arguments": self.arguments}
            write_bytes(folder / "daemon.json", json.dumps(note).encode())
        return self.status()

    def stop(self) -> dict[str, Any]:
        """Ask the daemon to end and wait; after 15 s kill it. Return its status."""
        settings = self._settings()
        pid = self._pid(settings)
        for sign in (signal.SIGTERM, signal.SIGKILL):
            deadline = time.monotonic() + STOP_S
            while pid is not None and time.monotonic() < deadline:
                with suppress(ProcessLookupError):
                    os.kill(pid, sign if time.monotonic() > deadline - STOP_S else 0)
                time.sleep(0.1)
                pid = self._pid(settings)
        return self.status()

    def status(self) -> dict[str, Any]:
        """Return {"running", "pid", "log"} and whatever the daemon last wrote about itself (`status.json`)."""
        settings = self._settings()
        pid = self._pid(settings)
        out: dict[str, Any] = {"running": pid is not None, "pid": pid, "log": str(_folder(settings) / "daemon.log")}
        with suppress(OSError, ValueError):
            out["daemon"] = read_json((_folder(settings) / "status.json").read_text())
        return out

    def _settings(self) -> Settings:
        return load_settings(home=self.home or None)

    def _pid(self, settings: Settings) -> int | None:
        """Return the pid of the living daemon; a pid that now belongs to another process does not count."""
        try:
            note = read_json((_folder(settings) / "daemon.json").read_text())
        except (OSError, ValueError):
            return None
        pid = int(note["pid"])
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        return pid if process_alive(pid) and born(pid) == note["born"] else None


def _folder(settings: Settings) -> Path:
    return settings.home / "live"
