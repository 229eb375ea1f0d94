"""The metrics of a daemon: read from its status, told to this machine alone, and listed on their page of the docs."""

import http.client
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lotus.errors import ConfigError
from lotus_live.reports.metrics import METRICS, StatusCollector
from lotus_live.reports.metrics_page import MetricsPage, metrics_page
from lotus_live.reports.status import FailureCause, LiveCounts

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "metrics.md"
STATUS: dict[str, Any] = {
    "time": 1_770_000_000.5, "lines": 12, "windows": 4, "events": 24, "published": 3,
    "last_window_end_ms": 1_770_000_000_000,
    "latency_us": {"0.5": 18.0, "0.99": 40.0}, "log": {"waiting": 2},
    "failures": {"polls": {"count": 2, "last": "gone"}, "herald": {"count": 0, "last": ""}},
    "feed": {"connected": True, "connects": 1, "stale": ["bbo:BTC"], "silent_ms": 250},
    "herald": {"carried": 5, "backlog": {"outbox": 1, "inbox": 2, "oldest_s": 0.5}},
    "trading": {"plans": 7, "finished": 6, "orders": 9, "fills": 8, "alarms": 1},
    "safety": {"kill_switch": "halt: the folder is not there", "watchdog": {"alive": True}},
    "shard": {"name": "1/2", "may_publish": True, "epoch": 3, "records": 9, "missing": 2},
}  # fmt: skip


@pytest.fixture
def page() -> Iterator[MetricsPage]:
    """Serve the status on any free port."""
    with metrics_page(0, StatusCollector(lambda: STATUS)) as served:
        yield served


def ask(page: MetricsPage, path: str = "/metrics", **headers: str) -> tuple[int, str]:
    """Return status and body of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", page.server_port, timeout=10)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_every_number_of_a_status_is_told(page: MetricsPage) -> None:
    code, text = ask(page)
    assert code == 200
    told = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert {name: float(value) for name, value in told.items()} == {
        "lotus_lines_total": 12, "lotus_windows_total": 4, "lotus_events_total": 24, "lotus_published_total": 3,
        'lotus_failures_total{cause="polls"}': 2, 'lotus_failures_total{cause="herald"}': 0,
        "lotus_feed_connected": 1, "lotus_feed_connects_total": 1, "lotus_feed_lag_seconds": 0.25,
        "lotus_feed_stale_channels": 1,
        'lotus_latency_seconds{quantile="0.5"}': 18e-6, 'lotus_latency_seconds{quantile="0.99"}': 40e-6,
        "lotus_shard_may_publish": 1, "lotus_shard_epoch": 3,
        "lotus_shard_records_total": 9, "lotus_shard_missing_total": 2,
        "lotus_last_window_end_timestamp_seconds": 1_770_000_000, "lotus_ledger_waiting_batches": 2,
        "lotus_herald_carried_total": 5,
        'lotus_herald_backlog{box="outbox"}': 1, 'lotus_herald_backlog{box="inbox"}': 2,
        "lotus_herald_oldest_seconds": 0.5,
        "lotus_desk_plans_total": 7, "lotus_desk_finished_total": 6, "lotus_desk_orders_total": 9,
        "lotus_desk_fills_total": 8, "lotus_desk_alarms_total": 1,
        "lotus_kill_switch": 1, "lotus_watchdog_alive": 1, "lotus_status_timestamp_seconds": 1_770_000_000.5,
    }  # fmt: skip


@pytest.mark.parametrize(("state", "value"), [("lifted", 0), ("halt", 1), ("flatten", 2)])
def test_the_switch_is_a_number(state: str, value: int) -> None:
    (metric,) = StatusCollector(lambda: {"safety": {"kill_switch": state}}).collect()
    assert [sample.value for sample in metric.samples] == [value]


def test_what_a_daemon_does_not_have_is_not_told() -> None:
    assert list(StatusCollector(lambda: {"herald": None, "trading": None}).collect()) == []


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Host": "evil.example"}, 400),
        ({"Host": "127.0.0.1"}, 400),
        ({"Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_nobody_but_this_machine_is_answered(page: MetricsPage, headers: dict[str, str], code: int) -> None:
    found, text = ask(page, **headers)
    assert found == code
    assert "lotus_lines" not in text


def test_it_listens_on_loopback_alone_and_has_one_page(page: MetricsPage) -> None:
    assert page.server_address[0] == "127.0.0.1"
    assert ask(page, "/")[0] == 404
    assert ask(page, Host=f"localhost:{page.server_port}")[0] == 200


def test_a_port_that_is_taken_is_explained() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused = pytest.raises(ConfigError, match=f"live.metrics_port {port} cannot be served")
        with refused, metrics_page(port, StatusCollector(dict)):
            pass


def test_the_page_of_the_docs_lists_every_metric_and_cause() -> None:
    text = PAGE.read_text()
    listed = re.findall(r"^\| `(lotus_(?!fleet|stage)\w+)` \| (\w+) \| `?(\w*)`? ?\| (.+) \|$", text, re.MULTILINE)
    assert listed == [(m.name, m.kind, m.label, m.text) for m in METRICS]
    assert all(f"\n| `{cause}` |" in text for cause in FailureCause)


def test_a_failure_is_news_once_and_again_after_it_was_mended() -> None:
    counts = LiveCounts()
    news = [counts.failed(FailureCause.POLLS, text) for text in ("gone", "gone", "elsewhere")]
    counts.mended(FailureCause.POLLS)
    assert [*news, counts.failed(FailureCause.POLLS, "elsewhere")] == [True, False, True, True]
    assert counts.failed(FailureCause.DESK, "broke")
    assert (counts.failures[FailureCause.POLLS].count, counts.failures[FailureCause.DESK].count) == (4, 1)
    assert (counts.failures[FailureCause.POLLS].last, counts.last_failure) == ("elsewhere", "broke")


def test_quantiles_are_of_the_last_lines() -> None:
    counts = LiveCounts()
    assert counts.latency_us() == {}
    for ns in [10_000_000] * 10 + [1000, 3000] * 2048:
        counts.took(ns)
    assert counts.latency_us() == {"0.5": 2.0, "0.9": 3.0, "0.99": 3.0}
    assert counts.lines == 4106
