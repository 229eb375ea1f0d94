"""The table of drift: what carries evidence first, what is unknown last, and alarms of the queue as they came."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lotus.monitoring.drift_table import DRIFT_REPORT
from lotus_console.pages.drift import ALARMS, DRIFT
from lotus_console.reading import HomeReading, ReadingDatabases
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.lake import Lake
from lotus_store.ledger.curation_queue import QueuedAlert, put_alert

HOSTILE = "<script>alert(1)</script>'; DROP TABLE braids; --"


@pytest.fixture
def reading(databases: Databases, settings: Settings, tmp_path: Path) -> Iterator[HomeReading]:
    """What a page reads of an empty home."""
    opened = ReadingDatabases(settings)
    try:
        yield HomeReading(replace(settings, home=tmp_path / "home"), opened.open())
    finally:
        opened.close()


def write(reading: HomeReading, day: str) -> None:
    """Write a report of three series, of which the second carries an alarm."""
    n, nan = 3, np.nan
    texts = {"family": ["data"] * n, "asset": ["BTC", "ETH", HOSTILE], "subject": [""] * n, "series": ["imb_5"] * n}
    numbers = {"found": [1.0, 2.0, nan], "expected": [1.0, 1.0, nan], "x": [0.1, 3.0, nan], "p": [0.5, 0.01, nan],
               "e": [0.7, 5.0, nan], "r": [3.0, 1_200.0, 0.0], "family_r": [601.5] * n, "psi": [0.1, 0.5, nan],
               "ks": [0.1, 0.4, nan]}  # fmt: skip
    columns: dict[str, np.ndarray] = {name: np.array(values, object) for name, values in texts.items()}
    columns |= {name: np.array(values) for name, values in numbers.items()}
    columns |= {"verdict": np.array([0, 0, 3], np.uint8), "like_days": np.array([28, 28, 0], np.int32)}
    columns["is_named"] = np.array([False, True, False])
    Lake(reading.settings.lake_root).write(DRIFT_REPORT, reading.settings.branch, day, columns)


def test_a_day_s_series_stand_by_their_evidence_and_nothing_is_no_number(reading: HomeReading) -> None:
    assert DRIFT.source(reading, DRIFT.asked({})).rows == []
    write(reading, "2026-01-05")
    answer = DRIFT.source(reading, DRIFT.asked({}))
    assert answer.title == "data in alarm: 2 of 3 series of 2026-01-05 were tested"
    assert [row["asset"] for row in answer.rows] == ["ETH", "BTC", HOSTILE]
    assert answer.rows[2]["x"] is None
    assert answer.rows[2]["verdict"] == "null"
    assert {column.name for column in DRIFT.columns} <= set(answer.rows[0])
    assert [r["asset"] for r in DRIFT.source(reading, DRIFT.asked({"verdict": "null"})).rows] == [HOSTILE]
    assert [r["asset"] for r in DRIFT.source(reading, DRIFT.asked({"order": "p"})).rows] == ["ETH", "BTC", HOSTILE]
    assert DRIFT.source(reading, DRIFT.asked({"day": "2026-02-30"})).rows == []


def test_alarms_stand_newest_first(reading: HomeReading, databases: Databases) -> None:
    assert ALARMS.source(reading, ALARMS.asked({})).title == "No monitor has alarmed"
    with databases.connect("sig") as sig:
        for k in range(3):
            alert = QueuedAlert(f"a{k}", reading.settings.branch, k, "sla", HOSTILE, "2", "1", "error", "")
            put_alert(sig, alert, "event")
    rows = ALARMS.source(reading, ALARMS.asked({"severity": "error"})).rows
    assert [(row["time_ms"], row["subject"]) for row in rows] == [(2, HOSTILE), (1, HOSTILE), (0, HOSTILE)]
    assert ALARMS.source(reading, ALARMS.asked({"severity": "warn"})).rows == []
