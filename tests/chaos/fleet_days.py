"""Have days of tape read by fleets of one, two, four and eight machines, struck or not, and compare what they commit.

`python tests/chaos/fleet_days.py FOLDER --days 30 --coins 8 --workers 1,2,4,8` makes the tape once. Every machine has a
home, a Dagster home, a copy of the code and a process tree of its own; they share PostgreSQL, Redis, the lake and
closed segments of tape, with `--bucket` in the bucket of a server of moto, else in folders. A number of workers is a
branch: `lotus up` runs on the first home, and its reading asks the fleet as `lotus backfill` does. `--block-symbols`
makes days block by block, `--kills` strikes workers, their children, `lotus up` and the broker meanwhile, each as often
as it falls. Told: seconds, throughput of n workers over n times that of one, seconds of the processor, runs by state,
and whether every commit of every day is the one that this process makes alone. Exit code 1 where one is not, or
where no run succeeded.
"""

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import dagster as dg

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

from disturbances import kill_tree, tree_of  # noqa: E402
from fleet_bed import broker_on, free_port  # noqa: E402
from object_store import BUCKET, environment, object_store  # noqa: E402

from lotus.errors import LotusError  # noqa: E402
from lotus.simulation.spec import BTC, ETH, SOL, WorldSpec  # noqa: E402
from lotus.simulation.world import World  # noqa: E402
from lotus_assets.bodies import stage_context  # noqa: E402
from lotus_assets.fleet.fleet_reading import fleet_reading  # noqa: E402
from lotus_assets.tape_process import tape_process  # noqa: E402
from lotus_resources.fleet.broker import BRANCH_TAG, BROKER_ENV, celery_app  # noqa: E402
from lotus_resources.lotus_resource import Lotus  # noqa: E402
from lotus_resources.provision import instance, provision  # noqa: E402
from lotus_store.config import load_settings  # noqa: E402
from lotus_store.ledger.day_commits import forget_commits, read_commits  # noqa: E402
from lotus_store.postgres.embedded import embedded  # noqa: E402
from lotus_store.tape.import_world import import_world  # noqa: E402
from lotus_store.tape.store import TapeStore  # noqa: E402

TAPE = "fleet"
KILLS = ("worker", "child", "up", "broker")
UNITS = "tape_unit"
READY_S = 120.0
TRIES = 50  # of a reading that is struck: as a person who gives the command again
TOML = """
[universe]
assets = [{assets}]
[fleet]
slots = {slots}
block_symbols = {block_symbols}
[folders]
lake = "{lake}"
segments = "{segments}"
"""


@dataclass
class Place:
    """A folder with what the machines share, and the processes that run; use within its server and store."""

    folder: Path
    shared: str  # URL or folder of lake and segments
    coins: tuple[Any, ...]
    block_symbols: int
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    cpu_s: float = 0.0

    def settings_file(self, slots: int, lake: str) -> Path:
        """Write the settings that all machines have; every reading has a lake of its own."""
        assets = ", ".join(f'{{ name = "{coin.name}", sz_decimals = {coin.sz_decimals} }}' for coin in self.coins)
        where = {"lake": f"{self.shared}/{lake}", "segments": f"{self.shared}/segments"}
        path = self.folder / "lotus.toml"
        path.write_text(TOML.format(assets=assets, slots=slots, block_symbols=self.block_symbols, **where))
        return path

    def machine(self, name: str) -> Path:
        """Return the folder of a machine, with a copy of the code."""
        place = self.folder / name
        if not (place / "code").exists():
            for package in ROOT.glob("lotus*/"):
                shutil.copytree(package, place / "code" / package.name, ignore=shutil.ignore_patterns("__pycache__"))
            if (ROOT / ".kernel_cache").exists():
                shutil.copytree(ROOT / ".kernel_cache", place / "code" / ".kernel_cache")
            shutil.copy(ROOT / "pyproject.toml", place / "code")
        (place / "home").mkdir(mode=0o755, exist_ok=True)
        return place

    def start(self, name: str, *words: str) -> None:
        """Start a command of Lotus on its machine."""
        place = self.machine(name)
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                [sys.executable, "-P", "-m", "lotus_cli", *words, "--home", str(place / "home")],
                stdout=log, stderr=subprocess.STDOUT, cwd=place, start_new_session=True,
                env={**os.environ, "PYTHONPATH": str(place / "code"), "LOTUS_CONFIG": str(self.folder / "lotus.toml")},
            )  # fmt: skip

    def start_up(self) -> None:
        """Start `lotus up` on the first machine, and wait until Dagster's daemon has a workspace.

        Its own tape is an empty one: the sensor of closed segments would read the days beside the fleet.
        """
        (self.folder / "host" / "home" / "dagster" / "workspace.json").unlink(missing_ok=True)
        self.start("host", "up", "--port", "0", "--console-port", "0", "--tape", "none")
        until = time.monotonic() + READY_S
        while not (self.folder / "host" / "home" / "dagster" / "workspace.json").exists():
            assert self.running["host"].poll() is None, self.log("host")
            assert time.monotonic() < until, self.log("host")
            time.sleep(0.2)

    def start_worker(self, name: str) -> None:
        """Start a machine's worker."""
        self.start(name, "fleet", "up", "--workers", "1")

    def wait_workers(self, n: int) -> None:
        """Wait until so many workers answer."""
        until, app = time.monotonic() + READY_S, celery_app(os.environ)
        while len(app.control.ping(timeout=2.0)) < n:
            assert time.monotonic() < until, [self.log(name) for name in self.running]
            time.sleep(0.5)

    def kill(self, name: str, how: int = signal.SIGKILL) -> None:
        """End a command and all that it started."""
        process = self.running.pop(name)
        self.cpu_s += cpu_of(process.pid) if name != "host" else 0.0
        kill_tree(process, how)

    def log(self, name: str) -> str:
        """Return the last words of a machine."""
        return f"== {name}\n{(self.folder / f'{name}.log').read_text(errors='replace')[-1500:]}"


def cpu_of(pid: int) -> float:
    """Return seconds of the processor of a process and its descendants, those that ended included."""
    total = 0
    for one in (pid, *tree_of(pid)):
        with suppress(OSError):
            fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
            total += sum(map(int, fields[11:15]))
    return total / os.sysconf("SC_CLK_TCK")


class Strikes(threading.Thread):
    """Kills a thing of the fleet every few seconds, and begins it again, until told to end."""

    def __init__(self, place: Place, workers: list[str], kills: int, dice: random.Random, broker: "Broker") -> None:
        super().__init__(name="strikes", daemon=True)
        self.place, self.workers, self.left, self.dice, self.broker = place, workers, kills, dice, broker
        self.counts: Counter[str] = Counter()
        self.over = threading.Event()

    def run(self) -> None:
        """Strike as often as asked, or until it is over."""
        while self.left and not self.over.wait(self.dice.uniform(4.0, 12.0)):
            self.left -= 1
            what = self.dice.choice(KILLS)
            self.counts[what] += 1
            name = self.dice.choice(self.workers)
            if what == "worker":
                self.place.kill(name)
                self.place.start_worker(name)
            elif what == "child":
                for pid in tree_of(self.place.running[name].pid)[-1:]:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            elif what == "up":
                self.place.kill("host")
                self.place.start_up()
            else:
                self.broker.restart()


class Broker:
    """A Redis that can be struck."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port, self.stack = folder, free_port(), ExitStack()
        os.environ[BROKER_ENV] = f"redis://127.0.0.1:{self.port}/0"
        self.stack.enter_context(broker_on(self.port, folder))

    def restart(self) -> None:
        """Lose the broker with all that it holds."""
        self.stack.close()
        self.stack = ExitStack()
        self.stack.enter_context(broker_on(self.port, self.folder))


def commits(lotus: Lotus) -> dict[str, str]:
    """Return the content hash of every stage of the tape and day."""
    with stage_context(lotus) as ctx:
        return {f"{x.stage} {x.day}": x.content_hash for x in read_commits(ctx.sig, ctx.tape_branch)}


def forget(lotus: Lotus, day: str) -> None:
    """Let nothing be committed of the tape from a day on."""
    with stage_context(lotus) as ctx:
        forget_commits(ctx.sig, ctx.tape_branch, day)
        ctx.sig.execute("DELETE FROM part_commits")


def read_alone(lotus: Lotus, days: list[str]) -> dict[str, Any]:
    """Read the days by one process, whole; return what it took."""
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    local = replace(lotus.settings, fleet=replace(lotus.settings.fleet, slots=0))
    left = len(days)
    with tape_process(local, days, False, 1, lambda day, stage: None) as process:
        while left:
            for read in process.take(True):
                assert read.is_whole, read.error
                left -= 1
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = spent.ru_utime + spent.ru_stime - before.ru_utime - before.ru_stime
    return {"seconds": round(time.monotonic() - began, 1), "cpu_s": round(cpu_s, 1)}


def expected_commits(path: Path, lotus: Lotus, days: list[str]) -> dict[str, str]:
    """Return the commits that one process makes; made once for a folder and its number of days."""
    stored = json.loads(path.read_text()) if path.exists() else {"days": []}
    if stored["days"] != days:
        forget(lotus, days[0])
        figures = read_alone(lotus, days)
        stored = {"days": days, "commits": commits(lotus)}
        path.write_text(json.dumps(stored))
        print(json.dumps({"alone": figures, "commits": len(stored["commits"])}), flush=True)
    return dict(stored["commits"])


def read_by_fleet(lotus: Lotus, days: list[str]) -> int:
    """Have the fleet read the days; return how often it was to be asked."""
    for tries in range(1, TRIES + 1):
        try:
            left = set(days)
            with fleet_reading(lotus, days, lambda day, stage: None) as fleet:
                while left:
                    for read in fleet.take(True):
                        if read.error is not None:
                            raise read.error
                        left.discard(read.day)
            return tries
        except LotusError as error:  # anything else is a fault of ours
            print(f"  asked again: {type(error).__name__} {str(error)[:200]}", file=sys.stderr, flush=True)
            time.sleep(2.0)
    raise AssertionError(f"not read in {TRIES} tries")


def runs_of(lotus: Lotus, since: datetime) -> dict[str, Any]:
    """Return the runs of units of this branch since a time: by state, and the seconds of those that did it."""
    with instance(provision(lotus.settings, lotus.databases)) as opened:
        wanted = dg.RunsFilter(job_name=UNITS, tags={BRANCH_TAG: lotus.settings.branch}, created_after=since)
        records = opened.get_run_records(filters=wanted)
    seconds = sorted(
        round(record.end_time - record.start_time)
        for record in records
        if record.end_time and record.start_time and record.dagster_run.status is dg.DagsterRunStatus.SUCCESS
    )
    return {"runs": dict(Counter(record.dagster_run.status.value for record in records)), "unit_s": seconds}


def fleet_of(
    place: Place, broker: Broker, n: int, days: list[str], kills: int, seed: int
) -> tuple[dict[str, Any], dict[str, str]]:
    """Read all days with `n` machines on a branch of its own; return the figures and the commits."""
    names = [f"m{k}" for k in range(n)]
    branch = f"n{n}b{place.block_symbols}k{kills}"
    config = place.settings_file(n, branch)
    place.cpu_s = 0.0
    lotus = Lotus.open(load_settings(home=place.folder / "host" / "home", config=config, tape=TAPE, branch=branch))
    try:
        forget(lotus, days[0])
        place.start_up()
        for name in names:
            place.start_worker(name)
        place.wait_workers(n)
        strikes = Strikes(place, names, kills, random.Random(seed), broker)
        strikes.start()
        began, since = time.monotonic(), datetime.now(UTC)
        asked = read_by_fleet(lotus, days)
        took = time.monotonic() - began
        strikes.over.set()
        strikes.join(READY_S)
        for name in (*names, "host"):
            place.kill(name, signal.SIGTERM)
        found = {
            "workers": n,
            "seconds": round(took, 1),
            "cpu_s": round(place.cpu_s, 1),
            "asked": asked,
            **runs_of(lotus, since),
        }
        return found | ({"kills": dict(strikes.counts)} if kills else {}), commits(lotus)
    finally:
        for name in list(place.running):
            place.kill(name)
        lotus.close()


def make_tape(home: Path, days: int, coins: tuple[Any, ...]) -> list[str]:
    """Make the tape of the first machine where it is not there; return its days."""
    store = TapeStore(home, TAPE)
    if len(store.days()) < days:
        import_world(store, World(WorldSpec("demo", seed=21, days=days, assets=coins)), range(days))
    return store.days()[:days]


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--days", default=30, show_default=True, type=click.IntRange(1))
@click.option("--coins", default=8, show_default=True, type=click.IntRange(1, 24))
@click.option("--workers", default="1,2,4,8", show_default=True, help="Numbers of machines, one after the other.")
@click.option(
    "--block-symbols", default=16, show_default=True, help="Symbols of a block; with fewer coins days are whole."
)
@click.option("--kills", default=0, show_default=True, help="Kills while each number of machines reads.")
@click.option("--seed", default=1, show_default=True, help="Seed of the kills.")
@click.option("--bucket", is_flag=True, help="Lake and segments in a bucket.")
def main(
    folder: Path, days: int, coins: int, workers: str, block_symbols: int, kills: int, seed: int, bucket: bool
) -> None:
    """Read, compare, tell."""
    folder = folder.absolute()
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    models = tuple(replace(m, name=f"{m.name}{k}" if k else m.name) for k in range(8) for m in (BTC, ETH, SOL))[:coins]
    with ExitStack() as stack:
        shared = str(folder / "shared")
        if bucket:
            os.environ.update(environment(stack.enter_context(object_store())))
            shared = f"s3://{BUCKET}"
        else:
            (folder / "shared" / "segments").mkdir(parents=True, exist_ok=True)
        (folder / "server").mkdir(mode=0o755, exist_ok=True)
        os.environ["LOTUS_PG_DSN"] = stack.enter_context(embedded(folder / "server")).server_dsn
        broker = Broker(folder)
        stack.callback(broker.stack.close)
        place = Place(folder, shared, models, block_symbols)
        home = place.machine("host") / "home"
        wanted = make_tape(home, days, models)
        config = place.settings_file(0, "alone")
        lotus = Lotus.open(load_settings(home=home, config=config, tape=TAPE, branch="alone"))
        try:
            share = [sys.executable, "-P", "-m", "lotus_cli", "tape", "share", "--tape", TAPE, "--home", str(home)]
            subprocess.run(share, check=True, env={**os.environ, "LOTUS_CONFIG": str(config)}, stdout=sys.stderr)
            expected = expected_commits(folder / "alone.json", lotus, wanted)
        finally:
            lotus.close()
        base, wrong = 0.0, 0
        for n in map(int, workers.split(",")):
            found, got = fleet_of(place, broker, n, wanted, kills, seed)
            base = base or found["seconds"] * n
            found["efficiency"] = round(base / (n * found["seconds"]), 3)
            found["equal"] = got == expected and len(expected) >= len(wanted)
            found["differ"] = sorted(k for k in expected if got.get(k) != expected[k])[:5]
            wrong += not (found["equal"] and found["runs"].get("SUCCESS"))  # this process makes what no run did
            print(json.dumps(found), flush=True)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
