"""Live over a real socket equals batch: on synthetic tapes, over midnight, with faults, and on the real recordings."""

import gzip
import json
from dataclasses import replace
from operator import itemgetter
from pathlib import Path

import numpy as np
import pytest
import zstandard
from random_priors import random_version, trusted
from tapes import MANIFEST, UNIVERSE, frame, in_order, market, write

from lotus.detectors.daily.make import day_tables
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.settled import with_settled
from lotus.detectors.spec import parse_spec
from lotus.errors import TapeError
from lotus.experts.fusion import default_experts
from lotus.experts.model import shipped_net
from lotus.experts.weekly.learned import InForce, LearnedSettings, net_of, set_of_day
from lotus.manifest import Manifest
from lotus.microtape.wire.frame import CONTROL_PREFIX
from lotus.priors.segment_context import SEGMENT
from lotus.priors.types import (
    EXPLORATION,
    IDENTITY,
    NEVER_MS,
    ActiveBraid,
    Knob,
    Literal,
    Patch,
    PriorsVersion,
    Rule,
    priors_0,
    priors_version,
)
from lotus.priors.vocabulary import FEATURE_NAMES, N_BINS, literals_of
from lotus.timebase import day_start_ms
from lotus_live.feed.tape_file import TapeFile
from lotus_live.parity import FixedBeliefs, events_hash, neutral_beliefs, verify_parity
from lotus_live.pipeline.batch import score_tape
from lotus_live.pipeline.day_lane import LaneSpec
from lotus_venues.replay_server import ReplayPlan

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
SPEC = LaneSpec(MANIFEST, UNIVERSE, shipped_detectors(), "main")
SESSION = FEATURE_NAMES.index("session")


@pytest.fixture(scope="module")
def ten_minutes() -> list[tuple[int, bytes]]:
    """Ten minutes of three assets."""
    return in_order(market("2026-03-04", "09:00", 600, step_ms=250))


def test_synthetic_tape_in_every_file_form(tmp_path: Path, ten_minutes: list[tuple[int, bytes]]) -> None:
    plain = write(tmp_path / "tape.txt", ten_minutes)
    text = plain.read_bytes()
    (tmp_path / "tape.gz").write_bytes(gzip.compress(text))
    (tmp_path / "tape.zst").write_bytes(zstandard.compress(text))
    reports = [verify_parity(tmp_path / name, MANIFEST) for name in ("tape.txt", "tape.gz", "tape.zst")]
    assert all(r.parity for r in reports), reports[0].difference
    assert len({r.hash_live for r in reports}) == 1
    first = reports[0]
    assert first.received == first.lines == len(ten_minutes)
    assert first.strangers == first.reconnects == 0
    assert first.windows == 3 * 119
    assert first.events == first.windows * len(SPEC.detectors)
    assert first.assets == ("BTC", "ETH", "SOL")


def test_odd_lines_do_not_break_parity(tmp_path: Path, ten_minutes: list[tuple[int, bytes]]) -> None:
    lines = ten_minutes[:6000]
    at = lines[3000][0]
    level = {"px": "100000.0", "sz": "1.0", "n": 1}
    crossed = {"coin": "BTC", "time": at // 1_000_000, "bbo": [level, level | {"px": "90000.0"}]}
    odd = [
        (at, b"not json"),
        (at, b'{"channel":"pong"}'),
        (at, b"Websocket connection established."),
        (at, b'{"channel":"error","data":"Invalid subscription {}"}'),
        (at, b'{"channel":"l2Book","data":{"coin":"DOGE","time":1,"levels":[[],[]]}}'),
        (at, b'{"channel":"bbo","data":{"coin":"BTC","time":99999999999999999999,"bbo":[null,null]}}'),
        (at, frame("bbo", crossed)),
        (at, b'{"channel":"bbo","data":{"coin":"ETH","time":%d,"bbo":[{"px":"NaN","sz":"1","n":1},null]}}' % at),
        (at - 10**12, lines[10][1]),
        (at, b'{"channel":"lotus.control","data":{"window_index":1}}'),
        (at, lines[2999][1][:50]),
    ]
    path = write(tmp_path / "odd.txt", [*lines[:3000], *odd, *lines[3000:]])
    path.write_bytes(path.read_bytes() + b"a line without a stamp\n\n")
    report = verify_parity(path, MANIFEST)
    assert report.parity, report.difference
    assert report.quarantined >= 6


def test_a_rule_about_a_segment_acts_live_as_in_batch(tmp_path: Path, ten_minutes: list[tuple[int, bytes]]) -> None:
    path, neutral = write(tmp_path / "tape.txt", ten_minutes), neutral_beliefs(SPEC)
    (plain,) = score_tape(TapeFile((path,)).arrivals(), SPEC, neutral)
    middle = float(np.nanmedian(plain.events["x_vol"]))
    flags = f"vol <= {middle:.4g}bps/sqrt(min)", f"vol > {middle:.4g}bps/sqrt(min) and spread > 0bps"
    rule = Rule.of(Literal(SEGMENT, 1, 1))
    braids = tuple(
        ActiveBraid(f"{k:032x}", "micro", d.detector_id, d.horizon_s, rule, Patch(-0.12, 1.06))
        for k, d in enumerate(SPEC.detectors)
    )
    given = FixedBeliefs(
        replace(neutral.neutral, segments=(flags, flags, ())), (priors_0("main"), priors_version("main", 1, braids))
    )
    (batch,) = score_tape(TapeFile((path,)).arrivals(), SPEC, given)
    fired = batch.events["fired"] != 0
    wild = (batch.events["x_vol"] > float(f"{middle:.4g}")) & (batch.events["x_spread"] > 0.0)
    assert np.array_equal(fired, wild & (batch.events["asset"] != "SOL"))
    assert 0.1 < fired.mean() < 0.6
    report = verify_parity(path, MANIFEST, beliefs=given)
    assert report.parity, report.difference
    assert report.hash_batch != verify_parity(path, MANIFEST).hash_batch


@pytest.mark.process("two whole days live and in batch")
def test_midnight_and_the_two_hours_before(tmp_path: Path) -> None:
    lines = in_order(market("2026-03-04", "21:57", 2 * 3600 + 8 * 60, step_ms=6000, seed=3))
    report = verify_parity(write(tmp_path / "night.txt", lines), MANIFEST)
    assert report.parity, report.difference
    assert report.days == ("2026-03-04", "2026-03-05")
    assert report.lines == report.received == len(lines), "a line of the evening warms up the next day and counts once"
    day = day_start_ms("2026-03-05")
    later = [line for line in lines if line[0] >= (day - 2 * 3_600_000) * 1_000_000]
    only = verify_parity(write(tmp_path / "later.txt", later), MANIFEST)
    assert only.parity
    assert report.hash_batch != only.hash_batch


@pytest.mark.process("two whole days live and in batch")
def test_another_set_of_experts_from_midnight_on(tmp_path: Path) -> None:
    """The second day's lane is born at 22:00 under its own set, while the first day goes on under the shipped one."""
    path = write(tmp_path / "night.txt", in_order(market("2026-03-04", "21:57", 2 * 3600 + 480, step_ms=6000, seed=3)))
    shipped, neutral = verify_parity(path, MANIFEST), neutral_beliefs(SPEC)
    base = default_experts()
    learned = LearnedSettings(
        base.version,
        weights=tuple((name, 1.5 * v.weight) for name, v in base.fusion.voices.items()),
        off=("micro_lean", "squeeze"),
        evidence=((0.3, 0.4), (0.7, 0.6)),
        nets=(("tape_filter", net_of(tuple(-w for w in shipped_net(base.of("tape_filter"))))),),
    )
    other = set_of_day("2026-03-05", [InForce("2026-03-05", "2026-03-02", learned)])
    given = replace(neutral, experts_by_day={"2026-03-05": other})
    report = verify_parity(path, MANIFEST, beliefs=given)
    assert report.parity, report.difference
    tape = TapeFile((path,))
    first, second = score_tape(tape.arrivals(), SPEC, given)
    plain = score_tape(tape.arrivals(), SPEC, neutral)
    assert first.annotations.content_hash() == plain[0].annotations.content_hash()
    assert second.annotations.content_hash() != plain[1].annotations.content_hash()
    assert second.annotations.windows.experts is other
    assert events_hash(first.events) == events_hash(plain[0].events)
    assert events_hash(second.events) != events_hash(plain[1].events)
    assert report.hash_batch != shipped.hash_batch


@pytest.mark.process("two whole days live and in batch")
def test_another_set_of_detectors_from_midnight_on_with_a_shadow_detector_beside_it(tmp_path: Path) -> None:
    """The second day's lane is born at 22:00 with a settled detector, which a shadow detector of its name gives way."""
    lines = in_order(market("2026-03-04", "21:57", 2 * 3600 + 480, step_ms=6000, seed=3))
    texts = [bred("bred_aa"), bred("trial_b")]
    swap = CONTROL_PREFIX + b',"data":' + json.dumps({"detectors": texts}).encode() + b"}"
    lines.insert(2_000, (lines[2_000][0], swap))
    path = write(tmp_path / "night.txt", lines)
    settled = (parse_spec(bred("bred_aa"), "settled"),)
    tables = day_tables("2026-03-05", [], MANIFEST, UNIVERSE, with_settled(SPEC.detectors, settled))
    neutral = neutral_beliefs(SPEC)
    given = replace(neutral, by_day={"2026-03-05": tables}, settled_by_day={"2026-03-05": settled})
    report = verify_parity(path, MANIFEST, beliefs=given)
    assert report.parity, report.difference
    first, second = (day.events for day in score_tape(TapeFile((path,)).arrivals(), SPEC, given))
    plain = [day.events for day in score_tape(TapeFile((path,)).arrivals(), SPEC, neutral)]
    assert events_hash(first) == events_hash(plain[0])
    rows = [{name: int((events["detector_id"] == name).sum()) for name in ("bred_aa", "trial_b")}
            for events in (first, second, plain[1])]  # fmt: skip
    assert len({rows[1]["bred_aa"], rows[1]["trial_b"], rows[2]["bred_aa"]}) == 1, rows
    assert set(second["pi"][second["detector_id"] == "bred_aa"]) <= {0.0, MANIFEST.score.epsilon}


def bred(name: str) -> str:
    """Return the text of a detector that speaks in every window."""
    head = f"detector_id: {name}\nfamily: {name}\nversion: 1\nstatus: experimental\nidea: A column.\n"
    return head + "horizon: 30s\nband: 20s..160s\nbest_phase_deg: 270\nsignal: flow * 1.0\n"


def test_drops_of_the_connection_lose_nothing(tmp_path: Path, ten_minutes: list[tuple[int, bytes]]) -> None:
    plan = ReplayPlan(drop_before=frozenset({0, 17, 4000}))
    report = verify_parity(write(tmp_path / "tape.txt", ten_minutes), MANIFEST, plan=plan)
    assert report.parity, report.difference
    assert report.reconnects == 3


def test_swap_of_priors_between_two_windows(tmp_path: Path, ten_minutes: list[tuple[int, bytes]]) -> None:
    path = write(tmp_path / "tape.txt", ten_minutes)
    before = verify_parity(path, MANIFEST)
    rule = Rule.of(next(x for x in literals_of(SESSION) if x.holds(1)))
    swap_ms = day_start_ms("2026-03-04") + 9 * 3_600_000 + 300_000
    braids = tuple(
        ActiveBraid(f"{k:032x}", "micro", d.detector_id, d.horizon_s, rule, Patch(-0.1, 1.05))
        for k, d in enumerate(SPEC.detectors)
    )
    versions = (priors_0("main"), priors_version("main", swap_ms, braids))
    report = verify_parity(path, MANIFEST, beliefs=_with_sessions(versions))
    assert report.parity, report.difference
    assert report.hash_batch != before.hash_batch


def test_an_experiment_that_alternates_from_swap_to_swap(tmp_path: Path, ten_minutes: list[tuple[int, bytes]]) -> None:
    path = write(tmp_path / "tape.txt", ten_minutes)
    rule = Rule.of(next(x for x in literals_of(SESSION) if x.holds(1)))
    start_ms = day_start_ms("2026-03-04") + 9 * 3_600_000

    def version(from_ms: int, mult: float) -> PriorsVersion:
        patch = Patch(knobs=(Knob(EXPLORATION, mult),)) if mult != 1.0 else IDENTITY
        braids = (
            ActiveBraid(f"{k:032x}", "field", d.detector_id, d.horizon_s, rule, patch, scope="cross")
            for k, d in enumerate(SPEC.detectors)
        )
        return priors_version("main", from_ms, tuple(braids))

    on, off = version(start_ms + 200_000, 7.5), version(start_ms + 400_000, 1.0)
    given = _with_sessions((priors_0("main"), on, off))
    report = verify_parity(path, MANIFEST, beliefs=given)
    assert report.parity, report.difference
    (day,), (plain,) = (
        score_tape(TapeFile((path,)).arrivals(), SPEC, g) for g in (given, _with_sessions((priors_0("main"),)))
    )
    pi, usual, raised = day.events["pi"], plain.events["pi"], day.events["priors_ver"] == on.priors_ver
    drawn = raised & (usual > 0.0)
    assert drawn.any()
    floor = 7.5 * MANIFEST.score.epsilon
    assert (pi[drawn] == np.clip(usual[drawn], floor, 1.0 - floor)).all(), "what drew is what is logged"
    assert (pi[drawn] > usual[drawn]).any()
    assert (pi[~raised] == usual[~raised]).all()
    assert (day.events["ln_sigma_tilde"] == plain.events["ln_sigma_tilde"]).all()


def test_a_level_that_changes_at_two_o_clock(tmp_path: Path) -> None:
    path = write(tmp_path / "night.txt", in_order(market("2026-03-04", "01:56", 480, step_ms=500)))
    swap_ms = day_start_ms("2026-03-04") + 2 * 3_600_000

    def version(start_ms: int, level: int) -> PriorsVersion:
        patch = Patch(-0.1, 1.05, (), 1.25)
        braids = (
            ActiveBraid(f"{k:032x}", "micro", d.detector_id, d.horizon_s, Rule(), patch, level=level)
            for k, d in enumerate(SPEC.detectors)
        )
        return priors_version("main", start_ms, tuple(braids))

    hashes = {}
    for name, versions in (("same", (version(0, 1),)), ("raised", (version(0, 1), version(swap_ms, 2)))):
        given = neutral_beliefs(SPEC, versions)
        report = verify_parity(path, MANIFEST, beliefs=given)
        assert report.parity, report.difference
        (day,) = score_tape(TapeFile((path,)).arrivals(), SPEC, given)
        late = day.events["window_end_ms"] >= swap_ms
        hashes[name] = report.hash_batch
        assert set(day.events["priors_ver"][late]) == {versions[-1].priors_ver}
        assert day.events["gate"].all()
    assert hashes["same"] != hashes["raised"]


def _with_sessions(versions: tuple[PriorsVersion, ...]) -> FixedBeliefs:
    """Return neutral tables whose session bins have edges, so that a session literal can fire."""
    neutral = neutral_beliefs(SPEC, versions)
    edges = tuple(
        tuple((0.5, 1.5, 2.5) if k == SESSION else e for k, e in enumerate(row)) for row in neutral.neutral.edges
    )
    return replace(neutral, neutral=replace(neutral.neutral, edges=edges))


def test_unreadable_files_are_clear_errors(tmp_path: Path, ten_minutes: list[tuple[int, bytes]]) -> None:
    with pytest.raises(TapeError, match="no file"):
        verify_parity(tmp_path / "none.txt")
    whole = zstandard.compress(write(tmp_path / "tape.txt", ten_minutes[:500]).read_bytes())
    (tmp_path / "cut.zst").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TapeError):
        verify_parity(tmp_path / "cut.zst")
    with pytest.raises(TapeError, match="no market data"):
        verify_parity(write(tmp_path / "empty.txt", [(1, b'{"channel":"pong"}')]))


RECORDINGS = {
    "hyperliquid-2025-01-26-raw/btcusd_20250126.gz": (55, 0, 0),
    "hyperliquid-2025-09-03-outages/frames.jsonl.gz": (8892, 8, 53),
}


@pytest.mark.recordings
@pytest.mark.parametrize("name", RECORDINGS)
def test_real_recordings(name: str) -> None:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"the recording {name} is not beside the checkout")
    report = verify_parity(path)
    assert report.parity, report.difference
    assert (report.lines, report.gaps, report.duplicates) == RECORDINGS[name]


@pytest.mark.recordings
@pytest.mark.process("a whole recording live and in batch, a version of priors a minute")
@pytest.mark.parametrize("name", ["hyperliquid-2025-09-03-outages", "hyperliquid-2025-09-04"])
def test_levels_that_change_within_a_real_recording(name: str) -> None:
    """Random versions with levels and gates on every shipped detector, a new one every minute; made-up bins."""
    path = DATA / name / "frames.jsonl.gz"
    if not path.exists():
        pytest.skip(f"the recording {name} is not beside the checkout")
    tape, rng = TapeFile((path,)), np.random.default_rng(11)
    spec = LaneSpec(Manifest(), tape.universe, shipped_detectors(), "main")
    first_ms, last_ms = (int(at.recv_ns) // 1_000_000 for at in itemgetter(0, -1)(list(tape.arrivals())))
    names = [d.detector_id for d in spec.detectors]
    starts = (0, *range(first_ms, last_ms, 60_000))

    def version(start_ms: int) -> PriorsVersion:
        drawn = trusted(rng, random_version(rng, start=start_ms, detectors=names))
        lasting = (replace(b, effective_from_ms=0, expires_at_ms=NEVER_MS) for b in drawn.braids)
        return priors_version("main", start_ms, tuple(lasting))

    given = neutral_beliefs(spec, [version(at) for at in starts])
    edges = tuple(tuple(np.linspace(-1.0, 1.0, bins + 1)[1:-1].tolist()) for bins in N_BINS)
    given = replace(given, neutral=replace(given.neutral, edges=(edges,) * len(given.neutral.edges)))
    report = verify_parity(path, beliefs=given)
    assert report.parity, report.difference
    days = score_tape(tape.arrivals(), spec, given)
    assert sum(np.count_nonzero(day.events["gate"]) for day in days) > 100
    assert len({ver for day in days for ver in day.events["priors_ver"]}) > 3
