"""One bad frame ends no daemon: live, in the rebuild after a restart, in batch, in `verify tape` and in parity."""

from pathlib import Path

import pytest
from bad_frames import POISON
from tapes import MANIFEST, UNIVERSE, in_order, market, write

from lotus.errors import ConfigError, TapeError
from lotus.manifest import Asset
from lotus.microtape.wire.decode import Decoder
from lotus.microtape.wire.frame import CONTROL_PREFIX
from lotus_live.feed.clocks import Arrival
from lotus_live.line_taker import LineTaker
from lotus_live.live import run_live
from lotus_live.parity import neutral_beliefs, verify_parity
from lotus_live.pipeline import batch
from lotus_live.pipeline.batch import score_tape
from lotus_live.pipeline.shadows import control_data, control_texts
from lotus_store.config import Settings
from lotus_store.tape.import_recording import import_recording
from lotus_store.tape.store import TapeStore
from lotus_store.tape.verify import verify_tape
from lotus_store.tape.writer import WriterRules

DAY = "2026-03-04"
Lines = list[tuple[int, bytes]]


@pytest.fixture(scope="module")
def lines() -> Lines:
    """Two minutes of three assets with every bad frame among them."""
    good = in_order(market(DAY, "09:00", 120, step_ms=500, seed=3))
    at = good[len(good) // 2][0]
    return in_order([*good, *((at + k, raw) for k, raw in enumerate(POISON))])


@pytest.fixture
def recording(lines: Lines, tmp_path: Path) -> Path:
    """Those minutes as a file."""
    return write(tmp_path / "tape.txt", lines)


@pytest.mark.process("the daemon twice over a recording")
def test_a_daemon_lives_through_bad_frames_and_starts_again(lines: Lines, recording: Path, settings: Settings) -> None:
    first = run_live(settings, [recording], run_id="r")
    again = run_live(settings, [recording], run_id="r")
    assert (first.status["lines"], first.status["broken_lines"]) == (len(lines), 0)
    assert again.status["rebuilt"] == len(lines)
    assert again.events_hash == first.events_hash


@pytest.mark.process("both ways over a recording")
def test_parity_and_verify_tape_judge_bad_frames_alike(lines: Lines, recording: Path, tmp_path: Path) -> None:
    report = verify_parity(recording, MANIFEST)
    assert report.parity, report.difference
    assert (report.lines, report.received) == (len(lines), len(lines))
    store = TapeStore(tmp_path, "t")
    import_recording(store, [recording], rules=WriterRules(reserve_bytes=0))
    told = verify_tape(store, DAY, MANIFEST.kernel.gap_ms).decoded
    assert told.reasons == report.reasons
    assert told.reasons["bad_json"] == 7


@pytest.mark.process("the daemon over a recording")
def test_what_breaks_behind_the_decoder_ends_with_its_line(
    lines: Lines, recording: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = LineTaker._take_whole

    def broken(self: LineTaker, recv_ns: int, seq: int, raw: bytes) -> None:
        if raw == POISON[0]:
            raise RecursionError("unforeseen")
        whole(self, recv_ns, seq, raw)

    monkeypatch.setattr(LineTaker, "_take_whole", broken)
    for rebuilt in (0, len(lines)):
        status = run_live(settings, [recording], run_id="r").status
        assert (status["rebuilt"], status["broken_lines"]) == (rebuilt, 1)
        assert "unforeseen" in str(status["last_failure"])


def test_a_deep_control_record_names_no_trials() -> None:
    assert control_data(POISON[1]) is None
    assert control_texts(control_data(b'{"channel":"lotus.control","data":{"detectors":["a"]}}')) == ("a",)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"channel": "lotus.control","data":{"detectors":["a"]}}',
        b'{"data":{"detectors":["a"]},"channel":"lotus.control"}',
        b'{"channel":"lotus.control","channel":"pong","data":{"detectors":["a"]}}',
        b'{"channel":"lotus.control","data":{"detectors":["a"],"odd":NaN}}',
        b'{"channel":"lotus.control","data":{"detectors":["a"]},"data":{"detectors":["b"]}}',
        b'{"channel":"lotus.control","data":{"detectors":["a"]}}',
    ],
)
def test_live_and_batch_agree_on_what_is_a_record_of_a_daemon(raw: bytes) -> None:
    decoder = Decoder(UNIVERSE)
    decoder.decode_line(1, raw, 0)
    in_batch = [control_texts(record.data) for record in decoder.report().controls]
    live = [
        texts for texts in [control_texts(control_data(raw))] if raw.startswith(CONTROL_PREFIX) and texts is not None
    ]
    assert live == in_batch


def test_more_days_than_can_be_held_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from lotus.detectors.registry import shipped_detectors
    from lotus_live.pipeline.day_lane import LaneSpec

    monkeypatch.setattr(batch, "MAX_DAYS", 3)
    spec = LaneSpec(MANIFEST, UNIVERSE, shipped_detectors(), "main")
    days = [Arrival(day * 86_400 * 10**9, 0, b'{"channel":"pong"}') for day in range(20_000, 20_004)]
    with pytest.raises(TapeError, match="more than 3 days"):
        score_tape(days, spec, neutral_beliefs(spec))


def test_a_universe_beyond_the_index_is_refused_live() -> None:
    from lotus.microtape.line_machine import LineMachine

    with pytest.raises(ConfigError, match="at most 32767"):
        LineMachine(MANIFEST, [Asset(f"C{k}", 2) for k in range(32_768)])
