"""One golden day end to end: the frozen tape through the batch twin, outcomes and payoff scores, hash by hash.

Every table's content hash and number of rows must be what `fixtures/golden-day.json` records. A change that is meant
to alter numbers renews it, with a line in the changelog: `python -m tests.test_golden_day > fixtures/golden-day.json`.
Cut anywhere, the tape must give the beginning of what the whole tape gives: nothing looks ahead.

Quality, kernel terms and score of a shipped detector version may not move by more than EPSILON, ever: what moves them
is another version. They are kept by version and by the experts' specifications in `fixtures/golden-detectors.json`;
`python -m tests.test_golden_day detectors` prints it with what is new and refuses what moved without a name.
"""

import json
import sys
from dataclasses import replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lotus.curation.proved import is_proved
from lotus.detectors.daily.history import MAX_ASSETS, DayHistory, digest_day
from lotus.detectors.daily.make import day_tables
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.scoring.scored import Columns
from lotus.detectors.scoring.scorer import score_windows
from lotus.detectors.windows.builder import build_windows
from lotus.hashing import content_hash, natural_id
from lotus.learning.payoff_scores import payoff_scores
from lotus.manifest import Manifest
from lotus.outcomes.evaluate import mature
from lotus.priors.types import priors_0
from lotus.timebase import next_day
from lotus_live.feed.clocks import Arrival
from lotus_live.feed.tape_file import TapeFile
from lotus_live.parity import events_hash, neutral_beliefs
from lotus_live.pipeline.batch import DayRows, score_tape
from lotus_live.pipeline.day_lane import LaneSpec

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
TAPE = TapeFile((FIXTURES / "demo-7.zst",))
RENEW = "python -m tests.test_golden_day > fixtures/golden-day.json"
DETECTORS = FIXTURES / "golden-detectors.json"
PROVED = Path(str(resources.files("lotus.curation"))) / "specs" / "proved.yaml"
EPSILON = 1e-6  # of itself
HISTORY_DAYS = (
    12  # the golden day so often before itself: enough that no term stands at its neutral value for want of it
)
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


@pytest.mark.process("the frozen day through the whole product")
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


def golden_detectors() -> dict[str, dict[str, Any]]:
    """Return sq, kr and sigma of every shipped version on the golden day, after a history of copies of itself."""
    day, detectors = whole(), shipped_detectors()
    outcomes = mature(day.events, day.frames.quote_columns(), day.frames.gap_columns(), MANIFEST, day.day)
    digest = digest_day(day.day, day.events, outcomes, MANIFEST, TAPE.universe, detectors)
    history = [earlier(digest, k) for k in range(HISTORY_DAYS, 0, -1)]
    tables = day_tables(day.day, history, MANIFEST, TAPE.universe, detectors)
    windows = build_windows(day.frames, day.annotations, MANIFEST)
    events = score_windows(windows, MANIFEST, TAPE.universe, tables, [priors_0("golden")], "golden")
    terms = ("sq_score", "kr_coherence", "kr_phi", "theta0", "kr_rho", "kr_emergence", "kr_novelty")
    found = {}
    for d, spec in enumerate(detectors):
        mine = (events["detector_id"] == spec.detector_id) & (events["s"] != 0.0)
        numbers = {name: float(getattr(tables, name)[d]) for name in terms}
        numbers |= {name: float(np.mean(events[name][mine])) for name in ("kr_hbar", "kr_delta_phi", "det_sigma")}
        rounded = {name: float(f"{value:.8e}") for name, value in numbers.items()}
        found[f"{spec.detector_id}@{spec.version}"] = {"spec_id": spec.spec_id, "experts": experts(), **rounded}
    return found


def proved(golden: dict[str, dict[str, Any]]) -> str:
    """Return the list of proved versions that a home carries."""
    head = [line for line in PROVED.read_text("utf-8").splitlines(keepends=True) if line.startswith("#")]
    return "".join([*head, *(f"{name}: {row['spec_id']}\n" for name, row in sorted(golden.items()))])


def test_a_home_carries_the_versions_that_have_a_golden_row() -> None:
    assert PROVED.read_text("utf-8") == proved(json.loads(DETECTORS.read_text())), (
        "python -m tests.test_golden_day proved"
    )
    assert all(is_proved(spec) for spec in shipped_detectors())
    assert not is_proved(replace(shipped_detectors()[0], version=99))


def earlier(digest: DayHistory, days: int) -> DayHistory:
    """Return a digest as of some days before."""
    back = days * 86_400_000 // MANIFEST.kernel.window_ms * MAX_ASSETS
    keys = {name: getattr(digest, name) - back for name in ("key", "signal_key", "paid_key")}
    return replace(digest, day=next_day(digest.day, -days), **keys)


def experts() -> str:
    """Return the hash of the experts' specifications, whose evidence enters every score."""
    files = sorted((resources.files("lotus.experts") / "specs").iterdir(), key=lambda f: f.name)
    return natural_id(*(part for f in files for part in (f.name, f.read_bytes())))


def moved(then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return what moved between two records of one version under the same experts."""
    if then["experts"] != now["experts"]:
        return []
    numbers = [name for name in now if isinstance(now[name], float)]
    changed = [name for name in numbers if abs(now[name] - then[name]) > EPSILON * max(abs(now[name]), abs(then[name]))]
    return changed if then["spec_id"] == now["spec_id"] else ["spec_id", *changed]


def test_shipped_detectors_do_not_move_without_another_version() -> None:
    recorded = json.loads(DETECTORS.read_text())
    for name, now in golden_detectors().items():
        then = recorded.get(name)
        assert then is not None, f"{name} is new: python -m tests.test_golden_day detectors > {DETECTORS.name}"
        assert not moved(then, now), f"{name}: {moved(then, now)} moved; undo it, or give the detector another version"
        assert then["experts"] == now["experts"], "the experts changed: renew, and say in changelog.d what it did"
        varied = [value for term, value in now.items() if isinstance(value, float) and term.startswith(("kr", "sq"))]
        assert any(value not in (0.0, 0.5, 1.0) for value in varied)


def test_a_record_is_not_renewed_over_numbers_that_moved() -> None:
    then = {"spec_id": "a", "experts": "b", "sq_score": 0.4, "det_sigma": 0.3}
    assert moved(then, then | {"sq_score": 0.4000001}) == []
    assert moved(then, then | {"sq_score": 0.400001}) == ["sq_score"]
    assert moved(then, then | {"spec_id": "c"}) == ["spec_id"]
    assert moved(then, then | {"sq_score": 0.9, "experts": "c"}) == []
    with pytest.raises(SystemExit, match="det_sigma"):
        renewed({"x@1": then}, {"x@1": then | {"det_sigma": 0.5}})
    assert renewed({"x@1": then}, {"x@2": then}) == {"x@1": then, "x@2": then}


def renewed(recorded: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """Return the record with what is new; ends with the names of what moved without another version."""
    wrong = {name: moved(recorded[name], now) for name, now in found.items() if name in recorded}
    if any(wrong.values()):
        raise SystemExit(f"moved without another version: { ({n: w for n, w in wrong.items() if w}) }")
    return dict(sorted((recorded | found).items()))


if __name__ == "__main__":
    if sys.argv[1:] == ["proved"]:
        PROVED.write_text(proved(json.loads(DETECTORS.read_text())), "utf-8")
    elif sys.argv[1:] == ["detectors"]:
        known = json.loads(DETECTORS.read_text()) if DETECTORS.exists() else {}
        print(json.dumps(renewed(known, golden_detectors()), indent=1))
    else:
        print(json.dumps(golden(), indent=1))
