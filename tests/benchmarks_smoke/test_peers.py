"""Other people's engines: absent ones are named as such, one that fails tells why, one that runs is compared."""

import sys
from pathlib import Path

import pytest

from benchmarks.harness import Sizes
from benchmarks.material import Tape, simulated
from benchmarks.peers import engines

TINY = Sizes(minutes=2, repeats=1)


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Tape:
    """Two minutes of the demo world."""
    return simulated(TINY.minutes, tmp_path_factory.mktemp("tape"))


def test_without_their_environment_all_are_absent(tape: Tape, tmp_path: Path) -> None:
    figures, skipped = engines.run(tape, TINY, tmp_path / "python")
    assert figures == []
    assert skipped == dict.fromkeys(engines.PEERS, engines.NOT_INSTALLED)


@pytest.mark.process("starts an interpreter for each engine")
def test_an_engine_that_cannot_run_tells_why(tape: Tape, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = tmp_path / "worker.py"
    worker.write_text("raise ImportError('no such engine')")
    monkeypatch.setattr(engines, "_WORKER", worker)
    figures, skipped = engines.run(tape, TINY, Path(sys.executable))
    assert figures == []
    assert all("no such engine" in why for why in skipped.values())


def test_an_engine_that_runs_stands_beside_ours(tape: Tape, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = tmp_path / "worker.py"
    worker.write_text(
        "import sys\nprint('ready', '1.0', 500, flush=True)\nfor _ in sys.stdin:\n    print(0.5, flush=True)"
    )
    monkeypatch.setattr(engines, "_WORKER", worker)
    figures, skipped = engines.run(tape, TINY, Path(sys.executable))
    assert skipped == {}
    assert [figure.value for figure in figures] == [1000.0] * 3
    assert all(figure.reference_value > 0.0 for figure in figures)
