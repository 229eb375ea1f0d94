"""Days read ahead by another process: in order, as its parent would, errors in their turn, and no orphans."""

import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from multiprocessing import Pipe
from pathlib import Path

import pytest

from lotus.errors import LotusError, TapeError
from lotus.simulation.spec import WorldSpec
from lotus_assets import days_ahead, tape_worker
from lotus_assets.backfill import LATE_ASSETS, backfill, backfilling
from lotus_assets.bodies import stage_context
from lotus_assets.catalogue import ALL_ASSETS
from lotus_assets.days_ahead import Batch, batches_ahead
from lotus_assets.learning_lane import DAYS_LEARNED
from lotus_assets.stages.chain import committed_work
from lotus_assets.stages.order import TAPE_STAGES
from lotus_assets.stages.tape.reading import LATE, READING, DayRead, is_read
from lotus_assets.tape_process import Simulated, TapeProcess, tape_process
from lotus_resources.lotus_resource import Lotus
from lotus_store.config import Settings
from lotus_store.processes import born
from lotus_store.tape.store import TapeStore

ROOT = Path(__file__).resolve().parents[2]


def test_the_stages_read_are_those_of_the_tape() -> None:
    assert READING == TAPE_STAGES
    assert tuple(stage.name for stage in LATE) == LATE_ASSETS
    assert not any(dep in LATE_ASSETS for entry in ALL_ASSETS for dep, _ in entry.deps)


@pytest.mark.process("a process reads three days")
def test_another_process_reads_what_this_one_would(
    lotus: Lotus, days: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[tuple[object, ...]] = []
    lotus = replace(lotus, progress=lambda *words: heard.append(words))
    monkeypatch.setattr(days_ahead, "OWN_BYTES", 0)
    with batches_ahead(lotus, days, False, 2) as batches:
        taken = [day for batch in batches for day in batch.days]
    assert taken == days
    assert {f"{day} {stage.name}" for day in days for stage in READING} <= {words[3] for words in heard}
    assert heard[-1][1] == heard[-1][2]
    with stage_context(lotus) as ctx:
        made = {key: commit.content_hash for key, commit in committed_work(ctx, days).items()}
        assert all(is_read(ctx, day) for day in days)
    monkeypatch.setattr(days_ahead, "OWN_BYTES", 1 << 40)
    with batches_ahead(lotus, days[:1], True, 1) as batches:
        assert [batch.days for batch in batches] == [(days[0],)]
    with stage_context(lotus) as ctx:
        again = {key: commit.content_hash for key, commit in committed_work(ctx, days[:1]).items()}
    assert again == {key: digest for key, digest in made.items() if key[0] == days[0]}


@pytest.mark.process("two days through Dagster, simulated and read by a process")
def test_days_are_learned_as_far_as_asked_while_others_are_simulated_and_read(
    tiny: Settings, tape_home: Path, days: list[str]
) -> None:
    tiny.tape_root.unlink()
    heard: list[tuple[object, ...]] = []
    world = WorldSpec("demo", seed=11, days=2, sessions=(("08:00", "08:20"), ("14:00", "14:20")))
    with (
        tape_process(tiny, days[:2], False, 1, lambda day, stage: None, Simulated(world, None)) as reader,
        backfilling(tiny, days[0], days[1], lambda *words: heard.append(words), reader=reader) as walk,
    ):
        first = walk.to(days[0])
        assert first.days == (days[0],)
        whole = walk.to(days[1])
    late = {f"{stage.name}[{day}]" for stage in LATE for day in days[:2]}
    assert first.hashes.keys() - late == {key for key in whole.hashes if days[0] in key} - late
    assert first.hashes.items() <= whole.hashes.items()
    assert late <= whole.hashes.keys()
    learned = [words[1:3] for words in heard if words[0] == DAYS_LEARNED and len(words) == 4]
    assert learned == sorted(learned)
    assert learned[-1] == (2, 2)
    made, kept = TapeStore(tiny.home, "tiny"), TapeStore(tape_home, "tiny")
    assert [list(made.segments(day)) for day in days[:2]] == [list(kept.segments(day)) for day in days[:2]]
    assert backfill(tiny, days[0], days[1]).hashes == whole.hashes


@pytest.mark.process("a day through Dagster, read by a process")
def test_a_damaged_day_stops_in_its_turn_and_the_day_before_is_learned(
    tiny: Settings, days: list[str], monkeypatch: pytest.MonkeyPatch, lotus: Lotus
) -> None:
    own = tiny.home / "own"
    own.mkdir()
    subprocess.run(["cp", "-rL", str(tiny.tape_root), str(own)], check=True)
    tiny.tape_root.unlink()
    (own / tiny.tape_root.name).rename(tiny.tape_root)
    path = tiny.tape_root / tiny.tape / lotus.tape.segments(days[1])[0].path
    path.write_bytes(path.read_bytes()[:-1000])
    monkeypatch.setattr(days_ahead, "OWN_BYTES", 0)
    with pytest.raises(LotusError, match=f"raw_tape.{days[1]}. check segments_intact.*every blocking check to pass"):
        backfill(tiny, days[0], days[2], workers=1)
    with stage_context(lotus) as ctx:
        stages = {stage for day, stage in committed_work(ctx, days[:2]) if day == days[0]}
        assert "active_priors" in stages
        assert (days[1], "raw_tape") not in committed_work(ctx, days[:2])


def test_an_error_is_raised_when_its_day_would_be_taken() -> None:
    error = TapeError("no header", "a tape")
    reads = iter([DayRead("a"), DayRead("b", error=error)])
    batches = days_ahead._in_order(["a", "b", "c"], ["a", "b", "c"], lambda wait: list(reads))
    assert next(batches) == Batch(("a",))
    with pytest.raises(TapeError, match="no header"):
        next(batches)


class Unpicklable(Exception):
    """It holds what cannot be packed."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.gate = threading.Lock()


class Unreadable(Exception):
    """It can be packed and not unpacked."""

    def __init__(self, text: str, _: int) -> None:
        super().__init__(text)


@pytest.mark.parametrize("error", [Unpicklable("no room left"), Unreadable("no room left", 1)])
def test_an_error_that_cannot_be_packed_is_told_in_words(error: Exception) -> None:
    ours, theirs = Pipe()
    process = TapeProcess(("a",), ours, lambda day, stage: None)
    worker = tape_worker.Pipe(theirs)
    try:
        raise error
    except Exception as raised:
        worker.send(DayRead("a", error=raised))
    (read,) = process.take(True)
    assert read.day == "a"
    assert type(read.error) is LotusError
    words = rf"{type(error).__name__}: no room left, raised in test_days_ahead.py line \d+"
    assert re.search(words, str(read.error))
    worker.send(DayRead("", error=error))
    with pytest.raises(LotusError, match=words):
        process.take(True)


def test_an_error_that_travels_stays_what_it_is() -> None:
    error = TapeError("no header", "a tape")
    assert tape_worker.travelling(error) is error


@pytest.mark.process("a process that nobody waits for")
def test_a_process_that_ends_early_is_an_error_and_never_an_orphan(tiny: Settings, days: list[str]) -> None:
    with tape_process(tiny, ["2024-01-01"], False, 1, lambda day, stage: None) as process:
        (read,) = process.take(True)
        assert not read.is_whole
        with pytest.raises(LotusError, match="ended"):
            process.take(True)


@pytest.mark.process("a process that is killed")
def test_a_reader_that_is_killed_is_an_error_that_says_what_goes_on(tiny: Settings, days: list[str]) -> None:
    heard: list[str] = []
    with tape_process(tiny, days, False, 1, lambda day, stage: heard.append(stage)) as process:
        deadline = time.monotonic() + 30
        while not heard and time.monotonic() < deadline:
            process.take(False)
            time.sleep(0.001)
        children = Path(f"/proc/{os.getpid()}/task/{threading.get_native_id()}/children").read_text().split()
        (reader,) = [pid for pid in children if b"tape_worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        os.kill(int(reader), signal.SIGKILL)
        with pytest.raises(LotusError, match=r"ended.*the next backfill goes on where it was"):
            all(process.take(True) for _ in range(len(days) + 1))
    assert backfill(tiny, days[0], days[0]).rows("raw_tape") > 0


@pytest.mark.kill("a backfill dies while another process reads for it")
def test_the_reader_dies_with_the_backfill_and_the_next_one_goes_on(tiny: Settings, days: list[str]) -> None:
    code = (
        "import pickle, sys\n"
        "from lotus_assets.tape_process import tape_process\n"
        "settings, days = pickle.load(sys.stdin.buffer)\n"
        "with tape_process(settings, days, False, 1, lambda *words: print(*words, flush=True)) as process:\n"
        "    while process.take(True): pass\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdin is not None
    assert parent.stdout is not None
    parent.stdin.write(pickle.dumps((replace(tiny, dsns=dict(tiny.dsns)), days)))
    parent.stdin.close()
    assert parent.stdout.readline().split() == [days[0].encode(), b"raw_tape"]
    (child,) = (int(pid) for pid in Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 30
    while born(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not born(child)
    assert backfill(tiny, days[0], days[0]).rows("raw_tape") > 0
