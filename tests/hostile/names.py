"""Hostile names at every door: none writes outside its home, none ends in a traceback, and each is found again.

`names.py --n N --seed S` throws N random names at paths, lake, tape, branches, settings, learner's files, accounts,
archives and commands, and prints how many were taken and refused. It exits with 1 when a name got out. (Literature:
path traversal, CWE-22; fuzzing.)
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from click.testing import CliRunner

from lotus.columns import Column, TableSpec
from lotus.errors import ConfigError, LotusError
from lotus.manifest import Asset
from lotus.names import is_name, name_of_step, path_step
from lotus_cli.main import main
from lotus_desk.accounts.accounts import account_files
from lotus_desk.safety.arming import Arming, arm, read_arming
from lotus_store.branch_settings import read_branch_settings, write_branch_settings
from lotus_store.config import load_settings
from lotus_store.lake import Lake
from lotus_store.learner_state import LearnerState
from lotus_store.tape.import_recording import import_recording
from lotus_store.tape.store import TapeStore
from lotus_store.tape.writer import WriterRules

SPEC = TableSpec("t", ("x",), (Column("x", "i8", "", "A number"),))
DAY = "2026-01-01"
T0_MS = 1_767_225_600_000
PIECES = (
    *("..", ".", "/", "\\", "../", "..\\", "%2e", "%2E%2E%2f", "%00", "%", "~", "$HOME", "`id`", "*", "?", "[a]"),
    *(":", "|", "&", ";", '"', "'", "<", ">", "\0", "\n", "\r", "\t", " ", "\u202e", "\u200b", "\ud800", "\ufeff", "é"),
    *("e\u0301", "\u6211\u8e0f", "\U0001fab7", "BTC", "kPEPE", "PURR/USDC", "xyz:XYZ100", "@107", "CON", "nul", "-rf"),
    *("part.parquet", "header.json", "symbol=", "day=", "branch=", ".tmp", ".open", ".import-t", "a" * 60, "A" * 300),
    *("--home", "=", ",", "#", "+"),
)  # fmt: skip


def hostile(rng: random.Random, outside: Path) -> str:
    """Return a random name; some lead to `outside`, absolutely or step by step."""
    kind = rng.randrange(10)
    if kind == 0:
        return f"{outside}/escaped"
    if kind == 1:
        return "x/" + "../" * rng.randint(1, 12) + "escaped/deep"
    if kind == 2:
        return "".join(chr(rng.randrange(1, 0x3000)) for _ in range(rng.randint(1, 20)))
    return "".join(rng.choice(PIECES) for _ in range(rng.randint(0 if kind == 3 else 1, 5)))


class Hostile:
    """A home with room around it: `outside` is its parent, in which nothing but the home may ever stand."""

    def __init__(self, outside: Path, seed: int) -> None:
        self.outside, self.home = outside, outside / "a" / "b" / "home"
        self.home.mkdir(parents=True)
        self.files = outside / "a" / "files"  # what commands are told to write outside a home
        self.files.mkdir()
        self.rng = random.Random(seed)
        self.figures: Counter[str] = Counter()
        self.steps: dict[str, str] = {}
        self.faults: list[str] = []
        self.doors = (
            self.path, self.lake, self.branch, self.settings, self.learner, self.account, self.tape, self.coin,
            self.command,
        )  # fmt: skip

    def run(self, n: int) -> bool:
        """Throw `n` names, each at one or two doors; tell whether all held."""
        for k in range(n):
            name = hostile(self.rng, self.outside)
            for door in (self.path, self.doors[k % len(self.doors)]):
                self.throw(door, name)
            if k % 50 == 49:
                self.look()
        self.look()
        return not self.faults

    def throw(self, door: Callable[[str], None], name: str) -> None:
        """Try one name at one door: it is taken, or refused with an error that Lotus raises on purpose."""
        what = door.__name__
        try:
            door(name)
            self.figures[f"{what} taken"] += 1
        except LotusError:
            self.figures[f"{what} refused"] += 1
        except Exception as error:
            self.faults.append(f"{what} {name!r}: {error!r}")

    def look(self) -> None:
        """Note whatever stands outside the home, and empty the home."""
        allowed = {self.home, *self.home.parents, self.files}
        for found in self.outside.rglob("*"):
            if found not in allowed and self.home not in found.parents and self.files not in found.parents:
                self.faults.append(f"outside the home: {found}")
        for found in self.files.iterdir():
            if found.suffix != ".yaml":
                self.faults.append(f"beside the detectors: {found}")
        for folder in (*self.home.iterdir(), *self.files.iterdir()):
            shutil.rmtree(folder) if folder.is_dir() else folder.unlink()

    def path(self, name: str) -> None:
        """A step is one step, gives the name back and belongs to no other name."""
        step = path_step(name)
        assert Path(step).parts == (step,)
        assert step not in (".", "..")
        assert not step.startswith(".")
        assert name_of_step(step) == name
        assert self.steps.setdefault(step, name) == name

    def lake(self, name: str) -> None:
        """A part is written under its names and found by them."""
        lake = Lake(self.home / "lake")
        lake.write(SPEC, name, DAY, {"x": np.arange(3)}, symbol=name)
        assert lake.symbols("t", name, DAY) == [name]
        assert lake.days("t", name) == [DAY]
        assert len(lake.read("t", name, DAY, name)["x"]) == 3
        lake.write_document("t", name, name, "{}")
        assert lake.read_document("t", name, name) == "{}"

    def branch(self, name: str) -> None:
        """Settings of a branch come back under its name."""
        write_branch_settings(self.home, name, {"universe": {}})
        assert read_branch_settings(self.home, name) == {"universe": {}}

    def settings(self, name: str) -> None:
        """Branch, tape and coin of the settings are names, or refused."""
        for given in ({"branch": name}, {"tape": name}):
            try:
                load_settings(self.home, **given)
            except ConfigError:
                self.figures["settings refused"] += 1
        config = self.home / "lotus.toml"
        config.write_bytes(f"[universe]\nassets = [{{ name = {json.dumps(name)}, sz_decimals = 2 }}]\n".encode())
        load_settings(self.home, config)

    def learner(self, name: str) -> None:
        """What the learner keeps lies in the home and comes back."""
        kept = LearnerState(self.home, name)
        kept.write(DAY, name, "key", {"a": 1}, {"x": np.arange(3)})
        found = kept.read(DAY, name, "key")
        assert found is not None
        assert found[0] == {"a": 1}

    def account(self, name: str) -> None:
        """An account's arming and keys lie in the home."""
        arming = Arming(name, "0x0", 1, "terms", "0")
        arm(self.home, arming)
        assert read_arming(self.home, name) == arming
        files = account_files(self.home / "keys", name)
        assert {path.parent for path in (files.key, files.watchdog, files.address, files.caps)} == {
            self.home / "keys" / "venue"
        }

    def tape(self, name: str) -> None:
        """A recording under this name becomes a tape of the home."""
        self._import(TapeStore(self.home, name), "BTC")

    def coin(self, name: str) -> None:
        """A recording with such a coin is imported; the coin becomes an asset exactly when it has a name."""
        store = TapeStore(self.home, f"t{self.rng.randrange(10**9)}")
        names = {asset.name for asset in self._import(store, name)}
        assert names - {name} == {"BTC"} - {name}
        plain = is_name(name) and '"' not in name and "\\" not in name
        assert not plain or name in names
        batch, _ = store.decode_day(DAY)
        assert len(batch.asset) >= 1

    def command(self, name: str) -> None:
        """Commands end with a code that they explain, never with a traceback."""
        recording = self._recording("BTC")
        words = self.rng.choice((
            ["verify", "tape", "--tape", name], ["verify", "tape", "--day", name], ["tape", "prune", "--tape", name],
            ["arm", "--account", name, "--lift"], ["detector", "new", name, "--out", str(self.files)],
            ["live", "--replay", str(recording), "--branch", name, "--run-id", "../escaped\n"],
            ["import", str(recording), "--tape", "t", "--archive", name],
            ["live", "--replay", str(recording), "--run-id", name] if name and not is_name(name) else ["tape", "list"],
        ))  # fmt: skip
        home = [] if words[0] == "detector" else ["--home", str(self.home)]
        done = CliRunner().invoke(main, [*words, *home])
        if done.exit_code not in (0, 1, 2, 3) or not isinstance(done.exception, SystemExit | None):
            raise AssertionError(f"{words}: {done.exception!r}")
        self.figures[f"commands ended with {done.exit_code}"] += 1

    def _recording(self, coin: str) -> Path:
        lines = []
        for k, name in enumerate(("BTC", coin)):
            level = {"px": "100.0", "sz": "1.0", "n": 1}
            data: dict[str, Any] = {"coin": name, "time": T0_MS + k, "bbo": [level, None]}
            text = json.dumps({"channel": "bbo", "data": data}, separators=(",", ":"), ensure_ascii=False)
            lines.append(f"{(T0_MS + k) * 1_000_000} ".encode() + text.encode("utf-8", "surrogatepass") + b"\n")
        path = self.home / "recording.txt"
        path.write_bytes(b"".join(lines))
        return path

    def _import(self, store: TapeStore, coin: str) -> tuple[Asset, ...]:
        import_recording(store, [self._recording(coin)], rules=WriterRules(reserve_bytes=0))
        assert store.days() == [DAY]
        return store.header().assets


def main_of(words: list[str] | None = None) -> int:
    """Run the campaign of the command line and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(words)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="lotus-names-") as folder:
        campaign = Hostile(Path(folder), asked.seed)
        held = campaign.run(asked.n)
    for what, count in sorted(campaign.figures.items()):
        print(f"{what:<28} {count:>8}")
    print(f"{asked.n} names of seed {asked.seed} in {time.monotonic() - began:.0f} s: {len(campaign.faults)} faults")
    for fault in campaign.faults[:20]:
        print(fault.encode("ascii", "backslashreplace").decode())
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main_of())
