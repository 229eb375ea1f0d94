"""Have worlds of a study made by workers, some of them killed, and compare their rows with those of one process.

`fleet_worlds.py FOLDER --row fwer-null --seeds 1-40 --workers 2 --kills 1`. `lotus up` runs on a home of its own, every
worker is `lotus fleet up` with a home of its own; they share PostgreSQL and Redis. A kill takes a worker while its
worlds are half made, and with `--ask-again` the asking process too. Told: seconds of one process and of the fleet, runs
by state, which rows differ, and what is left in `part_commits`. Exit code 1 where a row differs.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE.parent / "support"), str(HERE), str(ROOT)]

from disturbances import kill_tree  # noqa: E402
from fleet_bed import broker_on, free_port  # noqa: E402

from benchmarks.lessons.command import seeds_of  # noqa: E402
from benchmarks.lessons.evidence import repeated, rows_of  # noqa: E402
from benchmarks.lessons.page import study_named  # noqa: E402
from lotus_resources.fleet.broker import BROKER_ENV, celery_app  # noqa: E402
from lotus_resources.provision import instance, provision  # noqa: E402
from lotus_store.config import Settings, load_settings  # noqa: E402
from lotus_store.databases import Databases  # noqa: E402
from lotus_store.postgres.embedded import embedded  # noqa: E402

READY_S = 240.0
Children = dict[str, "subprocess.Popen[bytes]"]


def start(folder: Path, name: str, *words: str) -> "subprocess.Popen[bytes]":
    """Start a Python command on the home of a machine; its words go to a file."""
    home = folder / name
    home.mkdir(mode=0o755, exist_ok=True)
    with (folder / f"{name}.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", *words], stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "LOTUS_HOME": str(home)}, cwd=ROOT,
        )  # fmt: skip


def wait(ready: Any, what: str, folder: Path) -> None:
    """Wait until something is so."""
    until = time.monotonic() + READY_S
    while not ready():
        logs = [f"== {path.name}\n{path.read_text(errors='replace')[-1500:]}" for path in folder.glob("*.log")]
        assert time.monotonic() < until, "\n".join([what, *logs])
        time.sleep(0.3)


def worlds_made(settings: Settings) -> int:
    """Return how many worlds are committed and not read yet."""
    with Databases(settings) as databases, databases.connect("sig", autocommit=True) as sig:
        (n,) = sig.execute("SELECT count(*) FROM part_commits WHERE branch = 'worlds'").fetchone() or (0,)
        return int(n)


def strike(folder: Path, children: Children, settings: Settings, number: int, asks: "subprocess.Popen[bytes]") -> None:
    """Kill a worker while its worlds are half made, and begin it again; `asks` goes with it where it is given."""
    before = worlds_made(settings)
    wait(lambda: worlds_made(settings) > before or asks.poll() is not None, "a world", folder)
    name = f"worker{number % (len(children) - 1)}"
    kill_tree(children[name])
    children[name] = start(folder, name, "lotus_cli", "fleet", "up", "--workers", "1")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--row", default="fwer-null", show_default=True, help="The study.")
@click.option("--module", default="benchmarks.lessons.table", show_default=True, help="The module it stands in.")
@click.option("--seeds", default="1-40", show_default=True, help="First-last.")
@click.option("--whole", is_flag=True, help="On worlds of full size.")
@click.option("--workers", default=2, show_default=True)
@click.option("--kills", default=0, show_default=True, help="Workers killed while their worlds are half made.")
@click.option("--ask-again", is_flag=True, help="Also kill the asking process at the last kill, and ask again.")
def main(
    folder: Path, row: str, module: str, seeds: str, whole: bool, workers: int, kills: int, ask_again: bool
) -> None:
    """Make, compare, tell."""
    folder = folder.absolute()
    (folder / "server").mkdir(mode=0o755, parents=True, exist_ok=True)
    for name in ("one", "fleet"):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / "host" / "dagster" / "workspace.json").unlink(missing_ok=True)
    ask = [module, "--row", row, "--seeds", seeds, "--json", *([] if whole else ["--small"])]
    began = time.monotonic()
    assert start(folder, "alone", *ask, "--folder", str(folder / "one")).wait() == 0
    told: dict[str, Any] = {"study": row, "seeds": seeds, "alone_s": round(time.monotonic() - began, 1)}
    with ExitStack() as stack:
        os.environ["LOTUS_PG_DSN"] = stack.enter_context(embedded(folder / "server")).server_dsn
        port = free_port()
        os.environ[BROKER_ENV] = stack.enter_context(broker_on(port, folder))
        config = folder / "lotus.toml"
        config.write_text(f"[fleet]\nslots = {workers}\n")
        os.environ["LOTUS_CONFIG"] = str(config)
        settings = load_settings(home=folder / "host")
        words = ("lotus_cli", "up", "--port", "0", "--console-port", "0", "--tape", "none")
        children: Children = {"host": start(folder, "host", *words)}
        stack.callback(lambda: [kill_tree(child) for child in children.values()])
        wait((folder / "host" / "dagster" / "workspace.json").exists, "lotus up", folder)
        for k in range(workers):
            children[f"worker{k}"] = start(folder, f"worker{k}", "lotus_cli", "fleet", "up", "--workers", "1")
        app = celery_app(os.environ)
        wait(lambda: len(app.control.ping(timeout=2.0)) >= workers, "workers", folder)
        by_fleet = [*ask, "--fleet", "--folder", str(folder / "fleet")]
        began = time.monotonic()
        asks = start(folder, "host", *by_fleet)
        for number in range(kills):
            strike(folder, children, settings, number, asks)
        if ask_again:
            kill_tree(asks)
            asks = start(folder, "host", *by_fleet)
        children["asks"] = asks
        told["exit"] = asks.wait()
        told |= {"workers": workers, "kills": kills, "fleet_s": round(time.monotonic() - began, 1)}
        with Databases(settings) as databases, instance(provision(settings, databases)) as opened:
            told["runs"] = dict(Counter(run.status.value for run in opened.get_runs()))
        told["left"] = worlds_made(settings)
    study = study_named(row, not whole)
    one, fleet = ({r["seed"]: repeated(r) for r in rows_of(study, folder / name)} for name in ("one", "fleet"))
    told["rows"] = len(fleet)
    told["differ"] = [seed for seed in one if one[seed] != fleet.get(seed)]
    print(json.dumps(told))
    held = not told["differ"] and len(fleet) == len(rows_of(study, folder / "fleet")) == len(seeds_of(seeds))
    sys.exit(0 if held and not told["exit"] else 1)


if __name__ == "__main__":
    main()
