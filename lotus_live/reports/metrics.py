"""What a daemon tells Prometheus: every metric with its unit and how it is read from a status.

Only the table and its readers; the page that serves it is `metrics_page`'s, the status `status`'s. A counter begins
anew with a life of the daemon. What a status does not have is left out. (Literature: Prometheus, custom collector.)
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from lotus_desk.safety.kill_switch import FLATTENED, LIFTED

Status = Mapping[str, Any]
Samples = Mapping[str, float]  # by label value; by "" where there is no label


@dataclass(frozen=True, slots=True)
class StatusMetric:
    """One metric; `read` returns its samples, none where a status has nothing of it."""

    name: str
    kind: Literal["counter", "gauge"]
    text: str
    read: Callable[[Status], Samples]
    label: str = ""

    def family(self, samples: Samples) -> Metric:
        """Return samples in Prometheus' form."""
        labels = [self.label] if self.label else []
        form = CounterMetricFamily if self.kind == "counter" else GaugeMetricFamily
        family = form(self.name, self.text, labels=labels)
        for value, sample in samples.items():
            family.add_metric([value] if self.label else [], sample)
        return family


class StatusCollector(Collector):
    """Reads the metrics of the status that `status` returns at that moment."""

    def __init__(self, status: Callable[[], Status]) -> None:
        """Nothing is read yet."""
        self._status = status

    def collect(self) -> Iterable[Metric]:
        """Yield every metric that the status has something of."""
        status = self._status()
        for metric in METRICS:
            samples = metric.read(status)
            if samples:
                yield metric.family(samples)


def _at(*path: str, unit: float = 1.0) -> Callable[[Status], Samples]:
    """Return a reader of the number at a path, divided by `unit`."""

    def read(status: Status) -> Samples:
        value: Any = status
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        return {} if value is None else {"": float(value) / unit}

    return read


def _by_cause(status: Status) -> Samples:
    return {cause: float(failures["count"]) for cause, failures in status.get("failures", {}).items()}


def _latency(status: Status) -> Samples:
    return {quantile: us / 1e6 for quantile, us in status.get("latency_us", {}).items()}


def _backlog(status: Status) -> Samples:
    waiting = (status.get("herald") or {}).get("backlog", {})
    return {box: float(waiting[box]) for box in ("outbox", "inbox") if box in waiting}


def _stale(status: Status) -> Samples:
    return {"": float(len(status["feed"]["stale"]))} if "feed" in status else {}


def _switch(status: Status) -> Samples:
    state = str((status.get("safety") or {}).get("kill_switch", ""))
    return {"": 0.0 if state == LIFTED else 2.0 if state == FLATTENED else 1.0} if state else {}


METRICS: tuple[StatusMetric, ...] = (
    StatusMetric("lotus_lines_total", "counter", "Lines of the feed that were taken.", _at("lines")),
    StatusMetric("lotus_windows_total", "counter", "Windows that were scored.", _at("windows")),
    StatusMetric("lotus_events_total", "counter", "Scored events, a detector and window each.", _at("events")),
    StatusMetric("lotus_published_total", "counter", "Events that were published.", _at("published")),
    StatusMetric("lotus_failures_total", "counter", "Failures by cause.", _by_cause, "cause"),
    StatusMetric("lotus_feed_connected", "gauge", "1 while the feed is connected.", _at("feed", "connected")),
    StatusMetric("lotus_feed_connects_total", "counter", "Connections that the feed made.", _at("feed", "connects")),
    StatusMetric("lotus_feed_lag_seconds", "gauge", "Time since the last line.", _at("feed", "silent_ms", unit=1000)),
    StatusMetric("lotus_feed_stale_channels", "gauge", "Channels that are stale.", _stale),
    StatusMetric("lotus_latency_seconds", "gauge", "From a line to its score, of the last 4096 lines.",
                 _latency, "quantile"),
    StatusMetric("lotus_last_window_end_timestamp_seconds", "gauge", "End of the newest scored window, unix time.",
                 _at("last_window_end_ms", unit=1000)),
    StatusMetric("lotus_ledger_waiting_batches", "gauge", "Batches that the ledger has not taken.",
                 _at("log", "waiting")),
    StatusMetric("lotus_herald_carried_total", "counter", "Messages that were carried.", _at("herald", "carried")),
    StatusMetric("lotus_herald_backlog", "gauge", "Messages that wait, by box, counted every 10 s.", _backlog, "box"),
    StatusMetric("lotus_herald_oldest_seconds", "gauge", "Age of the oldest message that waits in an inbox.",
                 _at("herald", "backlog", "oldest_s")),
    StatusMetric("lotus_desk_plans_total", "counter", "Plans that the desk took.", _at("trading", "plans")),
    StatusMetric("lotus_desk_finished_total", "counter", "Plans that ended.", _at("trading", "finished")),
    StatusMetric("lotus_desk_orders_total", "counter", "Orders that were sent.", _at("trading", "orders")),
    StatusMetric("lotus_desk_fills_total", "counter", "Fills of its orders.", _at("trading", "fills")),
    StatusMetric("lotus_desk_alarms_total", "counter", "Alarms about plans.", _at("trading", "alarms")),
    StatusMetric("lotus_kill_switch", "gauge", "0 lifted, 1 halt, 2 flatten.", _switch),
    StatusMetric("lotus_watchdog_alive", "gauge", "1 while a watchdog watches this home.",
                 _at("safety", "watchdog", "alive")),
    StatusMetric("lotus_shard_may_publish", "gauge", "1 while the shard's lease is sure.", _at("shard", "may_publish")),
    StatusMetric("lotus_shard_epoch", "gauge", "Owners that the shard had so far.", _at("shard", "epoch")),
    StatusMetric("lotus_shard_records_total", "counter", "Windows of other shards that were read.",
                 _at("shard", "records")),
    StatusMetric("lotus_shard_missing_total", "counter", "Coins of other shards without a value when they were read.",
                 _at("shard", "missing")),
    StatusMetric("lotus_status_timestamp_seconds", "gauge", "When these numbers were taken, unix time.", _at("time")),
)  # fmt: skip
