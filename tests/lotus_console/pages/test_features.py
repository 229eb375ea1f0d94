"""The windows that a bot beside the daemon asks for: the newest of each, and never one that was not over."""

import json
from datetime import UTC, datetime

import pytest
from sown import put

from lotus.detectors.registry import scored_detectors
from lotus.hashing import natural_id
from lotus.priors.vocabulary import FEATURES
from lotus_console.reading import HomeReading
from lotus_store.databases import Connection
from tests.support.asgi_client import AsgiClient

END_MS = int(datetime(2026, 1, 18, 12, tzinfo=UTC).timestamp() * 1000)
DETECTOR = "sweep_stall_reversal"


def window(reading: HomeReading, k: int, **given: object) -> dict[str, object]:
    """Return a window of the detector that ends k times five seconds after noon."""
    version = next(d.version for d in scored_detectors(reading.settings.manifest) if d.detector_id == DETECTOR)
    start, end = END_MS + 5_000 * (k - 1), END_MS + 5_000 * k
    name = natural_id("main", DETECTOR, version, "BTC", start)
    return {
        "branch": "main", "event_id": name, "detector_id": DETECTOR, "spec_version": version, "asset": "BTC",
        "day": "2026-01-18", "window_start_ms": start, "window_end_ms": end, "b_vol": k, "theta1": 0.25, **given,
    }  # fmt: skip


def sow(sig: Connection, table: str = "signal_events", **row: object) -> None:
    """Store a window."""
    sig.execute("SELECT signal_partitions(%s)", [str(row["day"])])
    put(sig, table, **row)


def asked(browser: AsgiClient, **given: object) -> list[dict[str, object]]:
    """Return the windows that the API answers with."""
    words = "&".join(f"{name}={value}" for name, value in given.items())
    found: list[dict[str, object]] = json.loads(browser.get(f"/api/v1/features?{words}").text)["windows"]
    return found


def test_of_a_scored_day_the_newest_window_that_was_over_is_read(
    reading: HomeReading, sig: Connection, browser: AsgiClient
) -> None:
    for k in (-20, 0, 1, 2):
        sow(sig, **window(reading, k, s=-0.5))
    (found,) = asked(browser, detector=DETECTOR, asset="BTC", at=END_MS + 9_999)
    assert (found["window_end_ms"], found["side"], found["theta1"]) == (END_MS + 5_000, -1, 0.25)
    bins = found["bins"]
    assert isinstance(bins, list)
    assert (bins[0], len(bins)) == (1, len(FEATURES))
    assert asked(browser, at=END_MS - 1) == [], "none ended in the minute before"
    assert asked(browser) == [], "no daemon has run here"
    assert "No window is stored there" in browser.get("/features").text
    assert "sweep_stall_reversal" in browser.get(f"/features?at={END_MS}").text


def test_the_daemons_run_comes_first(reading: HomeReading, sig: Connection, browser: AsgiClient) -> None:
    row = window(reading, 0, s=0.5)
    sow(sig, **row | {"b_vol": 3})
    sow(sig, "live_events", **row | {"b_vol": 4}, run_id="r")
    status = {"run_id": "r", "branch": "main", "last_window_end_ms": END_MS}
    (reading.settings.home / "live" / "status.json").write_text(json.dumps(status))
    for given in ({}, {"at": END_MS + 1_000}):
        (found,) = asked(browser, **given)
        assert (found["bins"][0], found["side"]) == (4, 1)  # type: ignore[index]


@pytest.mark.parametrize(
    "question", ["detector=none", "asset=DOGE", "at=noon", "at=-1", "at=9999999999999999", "page=2"]
)
def test_what_cannot_be_asked_is_refused(browser: AsgiClient, question: str) -> None:
    answer = browser.get(f"/api/v1/features?{question}")
    assert answer.status == 400
    assert "error" in json.loads(answer.text)
