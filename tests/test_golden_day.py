"""One golden day end to end: the frozen tape through the batch twin, outcomes and payoff scores, hash by hash.

Every table's content hash and number of rows must be what `fixtures/golden-day.json` records. A change that is meant
to alter numbers renews it, with a line in the changelog: `python -m tests.test_golden_day > fixtures/golden-day.json`.
Cut anywhere, the tape must give the beginning of what the whole tape gives: nothing looks ahead.
"""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lotus.detectors.registry import shipped_detectors
from lotus.detectors.score import Columns
from lotus.hashing import content_hash
from lotus.learning.payoff_scores import payoff_scores
from lotus.manifest import Manifest
from lotus.outcomes.evaluate import mature
from lotus_live.batch import DayRows, score_tape
from lotus_live.clocks import Arrival
from lotus_live.day_lane import LaneSpec
from lotus_live.parity import events_hash, neutral_beliefs
from lotus_live.tape_file import TapeFile

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
TAPE = TapeFile((FIXTURES / "demo-7.zst",))
RENEW = "python -m tests.test_golden_day > fixtures/golden-day.json"
CUTS = (9_001, 60_004, 171_113)  # early; inside the first session; behind the reconnect of the second
DEFAULTS = Manifest()
MANIFEST = replace(DEFAULTS, outcomes=replace(DEFAULTS.outcomes, horizons_s=(30, 300, 900)))


@cache
def lines() -> tuple[Arrival, ...]:
    """Return the lines of the frozen tape."""
    return tuple(TAPE.arrivals())


def scored(count: int) -> DayRows:
    """Score the first `count` lines of the tape with neutral tables and the genesis priors."""
    spec = LaneSpec(MANIFEST, TAPE.universe, shipped_detectors(), "golden")
    (day,) = score_tape(lines()[:count], spec, neutral_beliefs(spec))
    return day


@cache
def whole() -> DayRows:
    """Return the rows of the whole day."""
    return scored(len(lines()))


def golden() -> dict[str, Any]:
    """Return the hash and the rows of every table of the day."""
    day = whole()
    outcomes = mature(day.events, day.frames.quote_columns(), day.frames.gap_columns(), MANIFEST, day.day)
    scores = payoff_scores(day.events, outcomes, day.day).columns
    return {
        "day": day.day,
        "lines": len(lines()),
        "frames": {"rows": len(day.frames), "hash": content_hash(day.frames.columns())},
        "quotes": {"rows": len(day.frames.quotes), "hash": content_hash(day.frames.quote_columns())},
        "gaps": {"rows": len(day.frames.gaps), "hash": content_hash(day.frames.gap_columns())},
        "annotations": {"rows": len(day.annotations.ints), "hash": day.annotations.content_hash()},
        "signal_events": {"rows": len(day.events["event_id"]), "hash": events_hash(day.events)},
        "signal_eval": {"rows": len(outcomes["event_id"]), "hash": content_hash(outcomes)},
        "payoff_scores": {"rows": len(scores["event_id"]), "hash": content_hash(scores)},
    }


def test_the_golden_day_is_unchanged() -> None:
    recorded, found = json.loads((FIXTURES / "golden-day.json").read_text()), golden()
    changed = [name for name in found if found[name] != recorded.get(name)]
    assert not changed, (
        f"{', '.join(changed)} of the golden day changed (stages stand in order: look at the first); "
        f"when that is intended, renew it and say why in changelog.d: {RENEW}"
    )
    assert recorded.keys() == found.keys()


@pytest.mark.parametrize("cut", CUTS)
def test_a_tape_cut_short_gives_the_beginning_of_the_day(cut: int) -> None:
    part, day = scored(cut), whole()
    last_seq = lines()[cut - 1].seq
    assert_beginning(part.frames.columns(), day.frames.columns(), last_seq)
    assert_beginning(part.events, day.events, last_seq)


def assert_beginning(part: Columns, day: Columns, last_seq: int) -> None:
    """Require that `part` is, bit for bit, exactly the rows of `day` that lines up to `last_seq` closed."""
    known = day["close_seq"] <= last_seq
    count = int(known.sum())
    assert len(part["close_seq"]) == count
    assert count > 0
    assert known[:count].all()
    different = [name for name in day if _bits(part[name]) != _bits(day[name][:count])]
    assert not different


def _bits(values: np.ndarray[Any, Any]) -> bytes | list[Any]:
    return values.tolist() if values.dtype == object else values.tobytes()


if __name__ == "__main__":
    print(json.dumps(golden(), indent=1))
