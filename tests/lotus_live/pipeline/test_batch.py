"""The batch twin: what a run published is made again from its rows, and the fingerprint is the tape's alone."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from published import BRAIDS, EXPERTS, SPEC, TABLES, by_name, rebuilt
from tapes import MANIFEST, in_order, market, numbered, write

from lotus.detectors.scoring.scored import Columns
from lotus.detectors.scoring.signal_facts import facts_of, published_rows, spec_of
from lotus.modules.signals import SIGNAL_SCHEMAS
from lotus.priors.types import priors_0, priors_version
from lotus_live.live import run_live
from lotus_live.parity import neutral_beliefs
from lotus_live.pipeline.batch import score_tape
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.ledger.signals.signals import read_signals

DAY = "2026-03-04"
VERSION = priors_version("main", 1, BRAIDS)
Lines = list[tuple[int, bytes]]


@pytest.fixture(scope="module")
def lines() -> Lines:
    """Twelve minutes of three assets."""
    return in_order(market(DAY, "09:00", 720, step_ms=500, seed=11))


@pytest.fixture(scope="module")
def events(lines: Lines) -> Columns:
    """Their events in batch, under priors whose braids fire everywhere."""
    (day,) = score_tape(numbered(lines), SPEC, neutral_beliefs(SPEC, [priors_0("main"), VERSION]))
    return day.events


def test_what_a_run_published_is_made_again_from_the_batchs_rows(
    settings: Settings, databases: Databases, lines: Lines, tmp_path: Path
) -> None:
    recording = write(tmp_path / "tape.txt", lines)
    result = run_live(settings, [recording], run_id="bus", databases=databases)
    (day,) = score_tape(numbered(lines), SPEC, neutral_beliefs(SPEC))
    with databases.connect("sig") as connection:
        stored = read_signals(connection, "bus")
    assert by_name(stored) == rebuilt(day.events, priors_0("main"))
    published = int(day.events["published"].sum())
    assert len(stored) == published * len(SIGNAL_SCHEMAS) > 0
    assert result.status["signals"] == {"written": len(stored), "refused": 0}
    run_live(settings, [recording], run_id="bus", databases=databases)
    with databases.connect("sig") as connection:
        assert read_signals(connection, "bus") == stored


def test_the_fingerprint_is_the_tapes_alone(events: Columns, lines: Lines) -> None:
    (other,) = score_tape(
        numbered(lines), replace(SPEC, branch="other"), neutral_beliefs(replace(SPEC, branch="other"))
    )
    mine = {signal_key(row): prints(row, VERSION) for row in published_rows(events)}
    theirs = {signal_key(row): prints(row, priors_0("other")) for row in published_rows(other.events)}
    shared = mine.keys() & theirs.keys()
    assert shared
    assert all(mine[key] == theirs[key] for key in shared)
    assert len(set(mine.values())) == len(mine)
    (row, *_) = published_rows(events)
    for name in ("close_seq", "mid2", "s", "x_flow", "x_funding"):
        moved = np.nextafter(row[name], 9e9) if isinstance(row[name], float) else row[name] + 1
        assert prints({**row, name: moved}, VERSION) != mine[signal_key(row)]


def signal_key(row: Any) -> tuple[Any, ...]:
    return row["window_end_ms"], row["asset"], row["detector_id"]


def prints(row: Any, version: Any) -> str:
    return facts_of(row, spec_of(row, SPEC.detectors), MANIFEST, version, TABLES, EXPERTS).data_fingerprint
