"""What is wrong around a home while its kill switch is thrown: one fault at a time, begun before, ended after.

`throw` returns the moment from which seconds to flat are counted: that of the switch, or, of a venue that answered
nothing, that of its first answer. Only mounting needs rights of its own.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path

from children import Child, kill_server
from full_disk import fill
from read_only import read_only

from lotus_desk.safety.kill_switch import KillSwitch

FAULTS = ("disk", "folder", "home", "read-only", "toml", "database", "venue")
FAULTY_TOML = "[trading\nvenue = 7"
HANGS_S = 3.0


class Fault:
    """One of `FAULTS`, or none, around a home."""

    def __init__(self, name: str, home: Path, exchange: Child, dice: random.Random) -> None:
        self.name, self.home, self.exchange, self.dice = name, home, exchange, dice
        self.away = home.with_name(f"{home.name}.away")
        self.stack = ExitStack()

    @property
    def gone(self) -> Path | None:
        """What is not there during this fault."""
        return {"folder": self.home / "live", "home": self.home}.get(self.name)

    def begin(self) -> None:
        """Bring it about."""
        match self.name:
            case "disk":
                self.stack.callback(fill(self.home).unlink)
            case "read-only":
                self.stack.enter_context(read_only(self.home))
            case "database":
                kill_server(self.home, with_supervisor=True)
            case "venue":
                os.kill(self.exchange.pid, signal.SIGSTOP)
        if self.gone:
            self.gone.rename(self.away)

    def throw(self) -> float:
        """Throw the switch to flatten; return the monotonic second that counts."""
        switch = KillSwitch(self.home)
        if self.name == "toml":
            return self._command(switch)
        thrown_s = time.monotonic()
        switch.throw(flatten=True)
        if self.name == "venue":
            time.sleep(self.dice.uniform(0.2, HANGS_S))
            os.kill(self.exchange.pid, signal.SIGCONT)
            return time.monotonic()
        return thrown_s

    def end(self) -> None:
        """Put right what was wrong."""
        self.stack.close()
        while self.gone and self.away.exists():
            trash = self.away.with_name("trash")
            with suppress(OSError):  # who lives may make it anew in between
                self.gone.rename(trash)
                self.away.rename(self.gone)
            shutil.rmtree(trash, ignore_errors=True)

    def _command(self, switch: KillSwitch) -> float:
        """Throw it by `lotus kill` in a folder whose `lotus.toml` cannot be read."""
        command = [sys.executable, "-m", "lotus_cli", "kill", "--flatten", "--home", str(self.home)]
        said = subprocess.Popen(command, cwd=faulty_folder(self.home), stdout=subprocess.DEVNULL)
        while switch.state() == "lifted" and said.poll() is None:
            time.sleep(0.001)
        thrown_s = time.monotonic()
        if said.wait() or switch.state() == "lifted":
            raise RuntimeError("lotus kill did not throw the switch")
        return thrown_s


def faulty_folder(home: Path) -> Path:
    """Return a folder beside a home with a `lotus.toml` that cannot be read."""
    folder = home.with_name("faulty")
    folder.mkdir(exist_ok=True)
    (folder / "lotus.toml").write_text(FAULTY_TOML)
    return folder
