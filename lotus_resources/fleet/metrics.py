"""What a fleet tells Prometheus: runs, leases, workers, and what stages of the last days took.

Everything is asked at the scrape: runs and leases of Dagster's database, workers of the broker, CPU seconds of the
rows that stages record, bytes of the lake's files. What does not answer is left out, so an alarm on an absent metric
tells it; the page itself always answers. (Literature: Prometheus, custom collector.)
"""

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from lotus.errors import LotusError
from lotus_resources.fleet.broker import away, celery_app, waiting
from lotus_resources.fleet.lease import connected
from lotus_store.blobs.opening import folder_of
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.postgres.queries import query

DAYS_TOLD: Final = 7  # the newest that have costs: labels must not grow without end
PATIENCE_S: Final = 1.0  # for answers of workers
STATES: Final = ("QUEUED", "NOT_STARTED", "STARTING", "STARTED", "CANCELING", "SUCCESS", "FAILURE", "CANCELED")

Samples = Mapping[tuple[str, ...], float]  # by label values


@dataclass(frozen=True, slots=True)
class FleetMetric:
    """One gauge with its labels; its unit is in its name."""

    name: str
    text: str
    labels: tuple[str, ...] = ()


RUNS = FleetMetric("lotus_fleet_runs", "Runs of Dagster by state.", ("state",))
WAITING = FleetMetric("lotus_fleet_waiting", "Runs that wait, in Dagster's queue and in the broker.", ("where",))
LEASES = FleetMetric("lotus_fleet_leases", "Sessions that hold the lease of a run.")
LEASE_AGE = FleetMetric("lotus_fleet_oldest_lease_seconds", "Age of the oldest lease; 0 without one.")
SLOTS = FleetMetric("lotus_fleet_slots", "Runs at once on all workers together, as set.")
BROKER = FleetMetric("lotus_fleet_broker_up", "1 while the broker answers.")
WORKERS = FleetMetric("lotus_fleet_workers", "Workers that answer, busy and idle.", ("state",))
CPU = FleetMetric("lotus_stage_cpu_seconds", "CPU of a stage's own thread, by day of the tape.", ("stage", "day"))
BYTES = FleetMetric("lotus_stage_bytes", "Size of a table's parts in a lake of files, by day.", ("stage", "day"))
PRICE = FleetMetric("lotus_stage_cost_usd", "CPU of all stages of a day x fleet.price_core_h.", ("day",))
FLEET_METRICS: Final = (SLOTS, RUNS, WAITING, LEASES, LEASE_AGE, BROKER, WORKERS, CPU, BYTES, PRICE)


class FleetCollector(Collector):
    """Asks everything anew at each scrape, over sessions of its own. Dagster's address is in the environment."""

    def __init__(self, settings: Settings, databases: Databases) -> None:
        """Nothing is asked yet."""
        self._settings, self._databases = settings, databases

    def collect(self) -> Iterable[Metric]:
        """Yield every metric that has an answer; without a fleet the broker is not asked."""
        parts: list[Callable[[], Mapping[FleetMetric, Samples]]] = [self._dagster, self._stages]
        if self._settings.fleet.slots:
            parts.append(self._broker)
        for part in parts:
            with suppress(psycopg.Error, LotusError, *away()):
                for metric, samples in part().items():
                    yield _family(metric, samples)

    def describe(self) -> Iterable[Metric]:
        """Return nothing: a registry that asks for names must not ask the servers."""
        return ()

    def _dagster(self) -> Mapping[FleetMetric, Samples]:
        with connected("lotus-fleet") as session:
            counts = dict.fromkeys(STATES, 0.0)
            counts |= {str(s): float(n) for s, n in session.execute(query("dagster", "runs_by_state"), [list(STATES)])}
            ages = [float(age) for (age,) in session.execute(query("dagster", "lease_ages"))]
        return {
            RUNS: {(state,): count for state, count in counts.items()},
            WAITING: {("queue",): counts["QUEUED"]},
            LEASES: {(): float(len(ages))},
            LEASE_AGE: {(): max(ages, default=0.0)},
        }

    def _stages(self) -> Mapping[FleetMetric, Samples]:
        branches = [self._settings.branch, f"tape.{self._settings.tape}"]
        with self._databases.connect("sig") as sig:
            rows = [(str(d), str(s), float(c)) for d, s, c in sig.execute(query("sig", "costs_by_day"), [branches])]
        days = sorted({day for day, _, _ in rows})[-DAYS_TOLD:]
        cpu: Samples = {(stage, day): seconds for day, stage, seconds in rows if day in days}
        found: dict[FleetMetric, Samples] = {CPU: cpu, BYTES: self._bytes(branches, days)}
        if price := self._settings.fleet.price_core_h:
            in_all = {day: sum(s for (_, of), s in cpu.items() if of == day) for day in days}
            found[PRICE] = {(day,): seconds / 3600.0 * price for day, seconds in in_all.items()}
        return found

    def _bytes(self, branches: list[str], days: list[str]) -> Samples:
        """Walk only the folders of these days; a bucket would be asked once a table and day, so it is not."""
        lake = folder_of(self._settings.lake_root)
        if lake is None:
            return {}
        sizes: dict[tuple[str, ...], float] = {}
        for day in days:
            for branch in branches:
                for folder in lake.glob(f"*/branch={branch}/day={day}"):
                    key = (folder.parts[-3], day)
                    sizes[key] = sizes.get(key, 0.0) + _size(folder)
        return sizes

    def _broker(self) -> Mapping[FleetMetric, Samples]:
        app = celery_app(os.environ)
        try:
            active: Mapping[str, Any] = app.control.inspect(timeout=PATIENCE_S).active() or {}
        except away():
            return {SLOTS: {(): float(self._settings.fleet.slots)}, BROKER: {(): 0.0}}
        busy = float(sum(bool(tasks) for tasks in active.values()))
        return {
            SLOTS: {(): float(self._settings.fleet.slots)},
            BROKER: {(): 1.0},
            WAITING: {("broker",): float(waiting(app))},
            WORKERS: {("busy",): busy, ("idle",): len(active) - busy},
        }


def _size(folder: Path) -> float:
    total = 0.0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # replaced meanwhile
            total += path.stat().st_size if path.is_file() else 0
    return total


def _family(metric: FleetMetric, samples: Samples) -> Metric:
    family = GaugeMetricFamily(metric.name, metric.text, labels=list(metric.labels))
    for values, sample in samples.items():
        family.add_metric(list(values), sample)
    return family
