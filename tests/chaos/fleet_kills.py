"""Kill, stop and disturb a fleet while runs go through it, and count what was lost, doubled or stuck.

`python tests/chaos/fleet_kills.py --kills 300`. Two workers with homes and code of their own, Dagster's daemon, Redis
and a PostgreSQL of the campaign's own; runs of some seconds are asked for all the time, as a backfill does: a unit that
has no run any more and is not done is asked for again. SIGKILL strikes a worker, its child, the daemon, the broker
(whose queue is lost) or the database server; between kills workers are stopped for some time, the broker is emptied,
messages are sent twice. Lost: a unit that was never done. Doubled: two bodies of a unit at once. Stuck: a run that had
been handed out and did not end in `STUCK_S` more than its body and what it was stopped for. Exit code 1 for any.
"""

import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import click
import dagster as dg
import psycopg
import sqlalchemy

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

from children import kill_server  # noqa: E402
from disturbances import children_of  # noqa: E402
from fleet_bed import FleetBed  # noqa: E402

from lotus_resources.dagster_internals import IN_PROGRESS, will_be_tried_again  # noqa: E402
from lotus_resources.provision import instance  # noqa: E402
from lotus_store.config import Settings  # noqa: E402
from lotus_store.databases import Databases  # noqa: E402
from lotus_store.postgres.embedded import embedded  # noqa: E402

WORKERS = ("one", "two")
KILLS = ("worker", "worker", "child", "child", "daemon", "broker", "server")
STUCK_S = 150.0  # the start timeout of 120 s, and looks
AWAY = (psycopg.OperationalError, sqlalchemy.exc.OperationalError, sqlalchemy.exc.InternalError)
BODY_S = (1.0, 4.0)
OUTSTANDING = 6


class Campaign:
    """One fleet, what is asked of it, and what struck it."""

    def __init__(self, bed: FleetBed, home: Path, servers: ExitStack, dice: random.Random, stop_s: float) -> None:
        self.bed, self.home, self.servers, self.dice, self.stop_s = bed, home, servers, dice, stop_s
        self.counts: Counter[str] = Counter()
        self.asked: dict[str, float] = {}
        self.begun_at: dict[str, float] = {}
        self.stopped: dict[str, tuple[int, float]] = {}  # worker: its group, when it goes on
        self.stuck: dict[str, float] = {}
        self.units = 0
        self.begun_units: set[str] = set()

    def act(self, what: str) -> None:
        """Do one thing to the fleet."""
        self.counts[what] += 1
        match what:
            case "worker":
                self._restart(self.dice.choice(WORKERS))
            case "child":
                name = self.dice.choice(WORKERS)
                for pid in children_of(self.bed.running[name].pid):
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            case "daemon" | "broker":
                self._restart({"daemon": "daemon", "broker": "redis"}[what])
            case "server":
                kill_server(self.home, with_supervisor=self.dice.random() < 0.5)
                time.sleep(self.dice.uniform(0.0, 2.0))
                self.servers.enter_context(embedded(self.home))
            case "stop":
                name = self.dice.choice(WORKERS)
                group = self.bed.running[name].pid
                os.killpg(group, signal.SIGSTOP)
                self.stopped[name] = group, time.monotonic() + self.stop_s
            case "flush":
                self.bed.flush()
            case "duplicate":
                self.bed.send_again(20)

    def _restart(self, name: str) -> None:
        self.stopped.pop(name, None)
        self.bed.kill(name)
        time.sleep(self.dice.uniform(0.0, 2.0))
        self._start(name)

    def _start(self, name: str) -> None:
        if name == "redis":
            self.bed.start_redis()
        elif name == "daemon":
            self.bed.start_daemon()
        else:
            self.bed.start_worker(name)

    def mind(self) -> None:
        """Let stopped workers go on in time, and begin again what ended by itself, as supervisors do."""
        for name, (group, until) in list(self.stopped.items()):
            if time.monotonic() > until:
                with suppress(ProcessLookupError):
                    os.killpg(group, signal.SIGCONT)
                del self.stopped[name]
        for name in ("redis", "daemon", *WORKERS):
            if self.bed.running[name].poll() is not None:
                self.counts[f"{name} ended by itself"] += 1
                self._restart(name)

    def ask(self, opened: dg.DagsterInstance, launch: Any, more: bool) -> int:
        """Ask for units that are not done and have no run, and with `more` for new ones; return how many are not done.

        Runs that do not end are noted.
        """
        done = {str(unit) for (unit,) in self.bed.rows("SELECT unit FROM toy_done")}
        statuses = [dg.DagsterRunStatus.QUEUED, *IN_PROGRESS]
        runs = opened.get_runs(filters=dg.RunsFilter(statuses=statuses))
        going = {run.tags["unit"] for run in runs}
        begun = {run.run_id for run in runs if run.status is not dg.DagsterRunStatus.QUEUED}
        now = time.monotonic()
        self.begun_at = {run_id: self.begun_at.get(run_id, now) for run_id in begun}
        for run_id, since in self.begun_at.items():
            if now - since > STUCK_S + BODY_S[1] + (self.stop_s if self.counts["stop"] else 0.0):
                self.stuck[run_id] = now - since
        left = [unit for unit in self.asked if unit not in done]
        while more and len(left) < OUTSTANDING:
            left.append(f"u{self.units}")
            self.asked[left[-1]] = self.dice.uniform(*BODY_S)
            self.units += 1
        retried = {run.tags.get("dagster/parent_run_id") for run in runs}
        failed = opened.get_runs(filters=dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]), limit=20)
        coming = {run.tags["unit"] for run in failed if run.run_id not in retried and will_be_tried_again(run)}
        for unit in left:
            if unit not in going | coming:
                self.counts["asked again"] += unit in self.begun_units
                self.begun_units.add(unit)
                launch(unit, self.asked[unit])
        return len(left)


def run(folder: Path, kills: int, others: int, seed: int, minutes: float, stop_s: float) -> dict[str, Any]:
    """Run the campaign; return the figures."""
    home, dice, began = folder / "home", random.Random(seed), time.monotonic()
    home.mkdir(mode=0o755)
    with ExitStack() as servers:
        servers.enter_context(embedded(home))
        settings = Settings(home)
        databases = servers.enter_context(Databases(settings))
        databases.open()
        bed = servers.enter_context(FleetBed(settings, databases, folder))
        bed.start_daemon()
        for name in WORKERS:
            bed.start_worker(name)
        campaign = Campaign(bed, home, servers, dice, stop_s)
        acts = [dice.choice(KILLS) for _ in range(kills)] + [
            ("stop", "flush", "duplicate")[k % 3] for k in range(others)
        ]
        dice.shuffle(acts)
        with instance(bed.environment) as opened, bed.launching() as launch:
            due, left = time.monotonic() + 5.0, 1
            end = began + minutes * 60
            while (acts or left) and time.monotonic() < end + 300:
                campaign.mind()
                with suppress(*AWAY, dg.DagsterError):
                    left = campaign.ask(opened, launch, bool(acts) and time.monotonic() < end)
                if time.monotonic() > end:
                    acts = []
                if acts and time.monotonic() > due:
                    campaign.act(acts.pop())
                    due = time.monotonic() + dice.uniform(2.0, 6.0)
                time.sleep(0.5)
            found = outcome(campaign, opened)
    return found | {"seconds": round(time.monotonic() - began)}


def outcome(campaign: Campaign, opened: dg.DagsterInstance) -> dict[str, Any]:
    """Return the figures of a campaign that is over."""
    rows = campaign.bed.rows
    done = {str(unit): int(times) for unit, times in rows("SELECT unit, times FROM toy_done")}  # type: ignore[call-overload]
    struck = sum(campaign.counts[name] for name in set(KILLS))
    statuses = Counter(run.status.value for run in opened.get_runs())
    found: dict[str, Any] = {
        "kills": struck, **campaign.counts, "units": len(campaign.asked), "runs": dict(statuses),
        "lost": len(set(campaign.asked) - set(done)), "doubled": len(rows("SELECT 1 FROM toy_overlap")),
        "done again after a kill": sum(times > 1 for times in done.values()), "stuck": len(campaign.stuck),
    }  # fmt: skip
    found["whole"] = not (found["lost"] or found["doubled"] or found["stuck"])
    return found


@click.command()
@click.option("--kills", default=300, show_default=True, type=click.IntRange(1))
@click.option("--others", default=60, show_default=True, help="Stopped workers, emptied brokers, doubled messages.")
@click.option("--stop-s", default=60.0, show_default=True, help="Seconds for which a worker is stopped.")
@click.option("--seed", default=1, show_default=True, help="Seed of the moments.")
@click.option("--minutes", default=90.0, show_default=True, help="No act after this time.")
def main(kills: int, others: int, stop_s: float, seed: int, minutes: float) -> None:
    """Disturb the fleet, then count."""
    folder = Path(tempfile.mkdtemp(prefix="lotus-fleet-"))
    folder.chmod(0o755)
    found = run(folder, kills, others, seed, minutes, stop_s)
    print(json.dumps(found))
    if found["whole"]:
        shutil.rmtree(folder)
    sys.exit(0 if found["whole"] and found["kills"] >= kills else 1)


if __name__ == "__main__":
    main()
